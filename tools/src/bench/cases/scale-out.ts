import type { BenchCase, Comparison, Contender } from '../bench-case';
import type { BenchStores } from '../bench-stores';
import { LoadNode } from '../load-node';
import { openNonces } from '../open-nonces';
import { openSubmitters } from '../open-submitters';
import { ofAllNodes } from '../statistics';

/** Spread over the nodes: whether more nodes do the same work better or worse. */
const CALLERS_IN_ALL = 64;
/** For each node: whether more nodes and more callers let the one row collapse. */
const CALLERS_PER_NODE_HOT = 16;
const NODE_COUNTS = [1, 2, 4] as const;
const MANY = 1_000;

interface Layout {
  readonly nodes: number;
  readonly submitters: number;
  readonly withLock: boolean;
}

const COMPARISONS: readonly Comparison[] = [false, true].flatMap((withLock) => [
  {
    label: `two nodes to one, ${MANY} submitters${lockWord(withLock)}`,
    of: nameOf({ nodes: 2, submitters: MANY, withLock }),
    to: nameOf({ nodes: 1, submitters: MANY, withLock }),
    by: 'perSecond',
    target: '≥ 1.0',
  },
  {
    label: `four nodes to one, a hot submitter${lockWord(withLock)}`,
    of: nameOf({ nodes: 4, submitters: 1, withLock }),
    to: nameOf({ nodes: 1, submitters: 1, withLock }),
    by: 'perSecond',
    target: '≥ 0.8',
  },
]);

/** Several processes at the same total load: contention must not eat what they add. */
export const scaleOut: BenchCase = {
  name: 'scale-out',
  title: 'Scale-out: 1, 2 and 4 processes; 16 callers each on the hot submitter, else 64 in all',
  needs: 'redis',
  async open(stores) {
    const nodes: LoadNode[] = [];
    const contenders: Contender[] = [];
    try {
      for (const submitters of [1, MANY]) {
        const databaseUrl = await seeded(stores, submitters);
        for (const withLock of [false, true]) {
          const redisUrl = withLock ? stores.redisUrl : undefined;
          const crew = await Promise.all(
            Array.from({ length: Math.max(...NODE_COUNTS) }, () =>
              LoadNode.start({ databaseUrl, redisUrl, submitters }),
            ),
          );
          nodes.push(...crew);
          for (const count of NODE_COUNTS) {
            const layout = { nodes: count, submitters, withLock };
            contenders.push(contender(layout, crew.slice(0, count)));
          }
        }
      }
    } catch (error) {
      await Promise.all(nodes.map((node) => node.stop()));
      throw error;
    }
    return {
      contenders,
      comparisons: COMPARISONS,
      async close() {
        await Promise.all(nodes.map((node) => node.stop()));
      },
    };
  },
};

function contender(layout: Layout, crew: readonly LoadNode[]): Contender {
  const callers = layout.submitters === 1 ? CALLERS_PER_NODE_HOT : CALLERS_IN_ALL / crew.length;
  return {
    name: nameOf(layout),
    run: async (durationMs) =>
      ofAllNodes(await Promise.all(crew.map((node) => node.run({ callers, durationMs })))),
  };
}

async function seeded(stores: BenchStores, submitters: number): Promise<string> {
  const databaseUrl = await stores.database();
  const node = await openNonces({ databaseUrl });
  await openSubmitters(node.nonces, submitters);
  await node.close();
  return databaseUrl;
}

function nameOf({ nodes, submitters, withLock }: Layout): string {
  const what = submitters === 1 ? 'hot submitter' : `${submitters} submitters`;
  return `${nodes} ${nodes === 1 ? 'node' : 'nodes'}, ${what}${lockWord(withLock)}`;
}

function lockWord(withLock: boolean): string {
  return withLock ? ', Redis lock' : '';
}
