import { randomBytes } from 'node:crypto';
import type { Hex } from '@noncekit/nonce-core/domain';
import type { BenchCase } from '../bench-case';
import { RawAllocation } from '../contenders/raw-allocation';
import { RawHolder } from '../contenders/raw-holder';
import { generateLoad } from '../generate-load';
import { openNonces, type OpenNonces } from '../open-nonces';
import { submitterAt } from '../submitters';

const CALLERS = 64;
const ENGINE = 'noncekit, reliable';
const RAW = 'raw batched statements';

/** The whole life of a nonce as its holder sees it: allocate, intent before the send, used. */
export const holderCommands: BenchCase = {
  name: 'holder',
  title: 'Allocate, intent, used; one submitter, 64 callers',
  async open(stores) {
    const databaseUrl = await stores.database();
    const node = await openNonces({ databaseUrl });
    const raw = new RawAllocation(databaseUrl);
    const holder = new RawHolder(databaseUrl);
    const [ours, rawOnly] = [submitterAt(0), submitterAt(1)];
    await node.nonces.allocate(rawOnly);
    const rawLife = async (): Promise<void> => {
      const { id } = await raw.allocate(rawOnly);
      const hash = anyHash();
      await holder.tell({ command: 'intent', id, hash });
      await holder.tell({ command: 'used', id, hash });
    };
    return {
      contenders: [
        {
          name: ENGINE,
          run: (durationMs) =>
            generateLoad({ callers: CALLERS, durationMs }, () => live(node, ours)),
        },
        {
          name: RAW,
          run: (durationMs) => generateLoad({ callers: CALLERS, durationMs }, rawLife),
        },
      ],
      comparisons: [
        { label: 'to the raw statements', of: ENGINE, to: RAW, by: 'perSecond', target: '≥ 0.7' },
      ],
      async close() {
        await Promise.all([node.close(), raw.close(), holder.close()]);
      },
    };
  },
};

async function live({ nonces }: OpenNonces, submitter: string): Promise<void> {
  const [allocation] = await nonces.allocate(submitter);
  if (allocation === undefined) throw new Error('allocate answered nothing');
  const txHash = anyHash();
  await nonces.intent(allocation, { txHash });
  await nonces.markUsed(allocation, { txHash });
}

function anyHash(): Hex {
  return `0x${randomBytes(32).toString('hex')}`;
}
