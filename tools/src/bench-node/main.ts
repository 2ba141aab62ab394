import { generateLoad } from '../bench/generate-load';
import { holderCaller } from '../bench/holder-caller';
import type { LoadNodeSettings, NodeMessage, NodeOrder } from '../bench/load-node';
import { openNonces } from '../bench/open-nonces';
import { PacedLoad } from '../bench/paced-load';
import { anySubmitter } from '../bench/submitters';

/** One node of a benchmark, started and ended by it (see bench/load-node.ts). */
async function main(): Promise<void> {
  const settings = JSON.parse(process.argv[2] ?? '') as LoadNodeSettings;
  const node = await openNonces(settings);
  const { nonces } = node;
  let pace: PacedLoad | null = null;
  const obey = async (order: NodeOrder): Promise<void> => {
    if (order.kind === 'load') {
      const sample = await generateLoad(order.plan, () =>
        nonces.allocate(anySubmitter(settings.submitters)),
      );
      say({ kind: 'sample', sample });
    } else if (order.kind === 'pace') {
      pace = new PacedLoad(order.plan, holderCaller(nonces, settings.submitters));
    } else {
      say({ kind: 'records', records: (await pace?.stop()) ?? [] });
    }
  };
  process.on('message', (order: NodeOrder) => {
    void obey(order).catch(fail);
  });
  process.once('disconnect', () => {
    void node.close().catch(fail);
  });
  // The first call opens the connections, outside of what is measured.
  await nonces.allocate(anySubmitter(settings.submitters));
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
