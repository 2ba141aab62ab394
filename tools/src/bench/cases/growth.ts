import type { Allocation } from '@noncekit/nonce-core/domain';
import type { BenchCase, Comparison, Contender } from '../bench-case';
import type { BenchStores } from '../bench-stores';
import { generateLoad } from '../generate-load';
import { openNonces, type OpenNonces } from '../open-nonces';
import { openSubmitters } from '../open-submitters';
import { anySubmitter, submitterAt } from '../submitters';

const CALLERS = 64;
/** Few enough that a round does not itself decide how large the store is. */
const CALLS_A_ROUND = 5_000;
const BLOCK = 256;
const BLOCKS_TOGETHER = 4;
const ONE_DAY_MS = 86_400_000;

interface Size {
  readonly label: string;
  readonly outstanding: number;
  readonly submitters: number;
}

const OUTSTANDING_SMALL: Size = { label: '10³ outstanding', outstanding: 1_000, submitters: 1 };
const OUTSTANDING_LARGE: Size = { label: '10⁵ outstanding', outstanding: 100_000, submitters: 1 };
const OUTSTANDING_LONG: Size = { label: '10⁶ outstanding', outstanding: 1_000_000, submitters: 1 };
const SUBMITTERS_SMALL: Size = { label: '10 submitters', outstanding: 0, submitters: 10 };
const SUBMITTERS_LARGE: Size = { label: '10⁴ submitters', outstanding: 0, submitters: 10_000 };
const SUBMITTERS_LONG: Size = { label: '10⁵ submitters', outstanding: 0, submitters: 100_000 };

/** Nothing may become slower because more is stored. Each size has a database of its own. */
export const growth: BenchCase = {
  name: 'growth',
  title: 'Growth: more outstanding nonces, more submitters, the same load',
  async open(stores, { long }) {
    const outstanding = long ? OUTSTANDING_LONG : OUTSTANDING_LARGE;
    const submitters = long ? SUBMITTERS_LONG : SUBMITTERS_LARGE;
    const sizes = [OUTSTANDING_SMALL, outstanding, SUBMITTERS_SMALL, submitters];
    const opened: { node: OpenNonces; contenders: readonly Contender[] }[] = [];
    for (const size of sizes) opened.push(await openSize(stores, size));
    return {
      contenders: opened.flatMap(({ contenders }) => contenders),
      comparisons: [
        p99(outstanding.label, OUTSTANDING_SMALL.label),
        p99(submitters.label, SUBMITTERS_SMALL.label),
        p99(`ten busy of ${submitters.label}`, SUBMITTERS_SMALL.label),
      ],
      async close() {
        await Promise.all(opened.map(({ node }) => node.close()));
      },
    };
  },
};

function p99(of: string, to: string): Comparison {
  return { label: `p99, ${of} to ${to}`, of, to, by: 'p99Ms', target: '≤ 1.25' };
}

async function openSize(
  stores: BenchStores,
  size: Size,
): Promise<{ node: OpenNonces; contenders: readonly Contender[] }> {
  const node = await openNonces({ databaseUrl: await stores.database() });
  await openSubmitters(node.nonces, size.submitters);
  await fill(node, size.outstanding);
  const contenders = [contender(size.label, node, size.submitters)];
  // The same ten accounts as in the small database: only what is stored beside them differs.
  if (size.submitters > SUBMITTERS_SMALL.submitters) {
    contenders.push(contender(`ten busy of ${size.label}`, node, SUBMITTERS_SMALL.submitters));
  }
  return { node, contenders };
}

async function fill({ nonces }: OpenNonces, outstanding: number): Promise<void> {
  let missing = outstanding;
  const work = async (): Promise<void> => {
    while (missing > 0) {
      const count = Math.min(BLOCK, missing);
      missing -= count;
      await nonces.allocate(submitterAt(0), { count, ttlMs: ONE_DAY_MS });
    }
  };
  await Promise.all(Array.from({ length: BLOCKS_TOGETHER }, work));
}

/** What a round allocates is settled after it, so that as much is outstanding in every round. */
function contender(name: string, { nonces }: OpenNonces, submitters: number): Contender {
  let taken: Allocation[] = [];
  return {
    name,
    run: (durationMs) =>
      generateLoad({ callers: CALLERS, durationMs, maxCalls: CALLS_A_ROUND }, async () => {
        taken.push(...(await nonces.allocate(anySubmitter(submitters))));
      }),
    async tidy() {
      const settling = taken;
      taken = [];
      for (let at = 0; at < settling.length; at += BLOCK) {
        const block = settling.slice(at, at + BLOCK);
        await Promise.all(block.map((allocation) => nonces.markUsed(allocation, {})));
      }
    },
  };
}
