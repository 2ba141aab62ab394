import { randomBytes } from 'node:crypto';
import type { Hex } from '@noncekit/nonce-core/domain';
import type { BenchCase } from '../bench-case';
import { RawHolder } from '../contenders/raw-holder';
import { openFastNode, openRawFast, type FastNode, type RawFast } from '../fast-nodes';
import { generateLoad } from '../generate-load';
import { submitterAt } from '../submitters';

const CALLERS = 64;
const ENGINE = 'noncekit, performance, strict intents';
const RAW = 'raw script and batched statements';

/** The whole life of a nonce that Redis grants and Postgres hears of by its intent. */
export const fastHolder: BenchCase = {
  name: 'fast-holder',
  title: 'Performance mode, strict: allocate, intent, used; one submitter, 64 callers',
  needs: 'redis',
  async open(stores) {
    const node = await openFastNode(stores, 'strict');
    const raw = await openRawFast(stores, node);
    const holder = new RawHolder(node.databaseUrl);
    // The raw holder claims nonces far above what was raised for the library.
    await holder.liftCeiling(submitterAt(1));
    const plan = (durationMs: number) => ({ callers: CALLERS, durationMs });
    return {
      contenders: [
        { name: ENGINE, run: (ms) => generateLoad(plan(ms), () => live(node)), tidy: raw.tidy },
        {
          name: RAW,
          run: (ms) => generateLoad(plan(ms), () => liveRaw(raw, holder)),
          tidy: raw.tidy,
        },
      ],
      comparisons: [
        { label: 'to the raw statements', of: ENGINE, to: RAW, by: 'perSecond', target: '≥ 0.7' },
      ],
      async close() {
        await Promise.all([node.close(), holder.close()]);
        await raw.close();
      },
    };
  },
};

async function live({ nonces }: FastNode): Promise<void> {
  const [allocation] = await nonces.allocate(submitterAt(0));
  if (allocation === undefined) throw new Error('allocate answered nothing');
  const txHash = anyHash();
  await nonces.intent(allocation, { txHash });
  await nonces.markUsed(allocation, { txHash });
}

async function liveRaw({ script }: RawFast, holder: RawHolder): Promise<void> {
  const { id, grant } = await script.allocate();
  const hash = anyHash();
  await holder.tell({ command: 'intent', id, hash, grant });
  await holder.tell({ command: 'used', id, hash });
}

function anyHash(): Hex {
  return `0x${randomBytes(32).toString('hex')}`;
}
