import fc from 'fast-check';
import type { Allocation } from '../../src/domain/allocation';
import type { Submitter } from '../../src/domain/submitter';
import { DualWriteEngine } from '../../src/engines/dual-write/dual-write-engine';
import { nextAfter, toMirrored } from '../../src/engines/dual-write/mirror-fact';
import type { NonceEngine } from '../../src/ports/engine.port';
import type { MirrorNews } from '../../src/ports/mirror.port';
import { hashOf, newSubmitter } from '../support/store-fixture';
import { openTestRedis, type TestRedis } from '../support/test-redis';
import { openMirrorBench, type MirrorBench } from './mirror-bench';

const NODES = 2;
const RUNS = 30;

let redis: TestRedis;
let bench: MirrorBench;
let authorities: readonly NonceEngine[];
beforeAll(async () => {
  redis = await openTestRedis();
  bench = await openMirrorBench(redis);
  authorities = Array.from({ length: NODES }, () => bench.reliable());
});
afterAll(async () => {
  await bench.close();
  await redis.close();
});

const WORDS = ['allocate', 'intent', 'recyclable', 'quarantine', 'used', 'keep'] as const;

const step = fc.record({
  node: fc.nat({ max: NODES - 1 }),
  word: fc.constantFrom(...WORDS),
  which: fc.nat(),
});

interface Story {
  readonly submitter: Submitter;
  readonly held: Allocation[];
}

/** Whatever the engine refuses is no news; the next step goes on. */
async function play(
  engine: NonceEngine,
  { submitter, held }: Story,
  { word, which }: { readonly word: (typeof WORDS)[number]; readonly which: number },
): Promise<void> {
  const one = held[which % Math.max(1, held.length)];
  if (word === 'allocate' || one === undefined) {
    const wish = { submitter, count: 1 + (which % 3), ttlMs: 60_000 };
    held.push(...(await engine.allocate({ ...wish, exposure: 'declared' })).allocations);
    return;
  }
  const ref = { id: one.id };
  const said = {
    intent: () => engine.intent(ref, { txHash: hashOf(which + 1) }),
    recyclable: () => engine.markRecyclable(ref, { reason: 'not needed' }),
    quarantine: () => engine.quarantine(ref, { reason: 'no answer' }),
    used: () => engine.markUsed(ref, {}),
    keep: () => engine.keepReserved(ref, { note: 'later', ttlMs: 60_000 }),
  }[word]();
  await said.catch(() => undefined);
}

function newsOf(allocation: Allocation): MirrorNews {
  const { submitter } = allocation;
  return { submitter, next: nextAfter(allocation), nonces: [toMirrored(allocation)] };
}

describe('deliveries to the mirror', () => {
  it('H-6: from two nodes, in any order and some of them twice, end in what Postgres says', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 4, maxLength: 14 }),
        fc.array(fc.nat(), { minLength: 60, maxLength: 60 }),
        async (steps, order) => {
          const submitter = newSubmitter();
          const told: MirrorNews[] = [];
          const mirror = {
            tell: (allocations: readonly Allocation[]) =>
              void told.push(...allocations.map(newsOf)),
          };
          const engines = authorities.map((each) => new DualWriteEngine(each, mirror));
          const story: Story = { submitter, held: [] };
          for (const each of steps) await play(engines[each.node]!, story, each);
          const twice = told.filter((_, i) => order[i % order.length]! % 4 === 0);
          const deliveries = shuffled([...told, ...twice], order);
          for (const one of deliveries) await bench.mirror.write([one]);
          expect(await bench.openInMirror(submitter)).toEqual(
            await bench.openInPostgres(submitter),
          );
          const truth = (await bench.truth.read([submitter], 1)).get(submitter);
          expect((await bench.copyOf(submitter)).next?.value).toEqual(truth?.next);
        },
      ),
      { numRuns: RUNS },
    );
  }, 60_000);
});

function shuffled<Item>(items: readonly Item[], order: readonly number[]): readonly Item[] {
  const left = [...items];
  return items.map((_, i) => left.splice(order[i % order.length]! % left.length, 1)[0]!);
}
