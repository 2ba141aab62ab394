import { generateLoad, type LoadPlan } from '../bench/generate-load';
import type { LoadNodeSettings, NodeMessage } from '../bench/load-node';
import { openNonces } from '../bench/open-nonces';
import { anySubmitter } from '../bench/submitters';

/** One node of the scale-out benchmark, started and ended by it (see bench/load-node.ts). */
async function main(): Promise<void> {
  const settings = JSON.parse(process.argv[2] ?? '') as LoadNodeSettings;
  const node = await openNonces(settings);
  process.on('message', (plan: LoadPlan) => {
    void generateLoad(plan, () => node.nonces.allocate(anySubmitter(settings.submitters))).then(
      (sample) => {
        say({ kind: 'sample', sample });
      },
      fail,
    );
  });
  process.once('disconnect', () => {
    void node.close().catch(fail);
  });
  // The first call opens the connections, outside of what is measured.
  await node.nonces.allocate(anySubmitter(settings.submitters));
  say({ kind: 'ready' });
}

function say(message: NodeMessage): void {
  process.send?.(message);
}

function fail(error: unknown): void {
  console.error(error);
  process.exit(1);
}

main().catch(fail);
