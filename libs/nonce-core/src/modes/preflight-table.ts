import { modesAfter, refuseEdge } from '../domain/engine-mode';
import type { PreflightCheck } from '../ports/mode-switch.port';
import type { PreflightSources, SwitchWay } from './preflight-sources';

export type Finding = Omit<PreflightCheck, 'name'>;

/** One row of the table: where it applies, and what it finds there. */
interface CheckRow {
  readonly name: string;
  readonly appliesTo: (way: SwitchWay) => boolean;
  readonly find: (sources: PreflightSources, way: SwitchWay) => Promise<Finding>;
  /** What to do when the source itself does not answer. */
  readonly fix: string;
}

const NO_REDIS = 'Redis is not configured in this process';
const toPerformance = ({ to }: SwitchWay) => to === 'PERFORMANCE';
const toRedis = ({ to }: SwitchWay) => to === 'PERFORMANCE' || to === 'DUAL_WRITE';
const isPromotion = ({ from, to }: SwitchWay) => from === 'DUAL_WRITE' && to === 'PERFORMANCE';

const passed = (detail: string): Finding => ({ ok: true, detail, fix: null });
const failed = (detail: string, fix: string): Finding => ({ ok: false, detail, fix });

/**
 * What is looked at before a switch. Nothing about Redis stands in the way of RELIABLE and DRAIN:
 * a store that is lost must always be left.
 */
export const PREFLIGHT_TABLE: readonly CheckRow[] = [
  {
    name: 'edge',
    appliesTo: () => true,
    find: (_, { from, to }) => Promise.resolve(findEdge({ from, to })),
    fix: 'Ask for another mode.',
  },
  {
    name: 'redis-configured',
    appliesTo: toRedis,
    find: ({ redis }) =>
      Promise.resolve(
        redis === null
          ? failed(
              NO_REDIS,
              'Set NONCE_REDIS_URL (or cluster nodes, or sentinels) in all processes.',
            )
          : passed('Redis is configured'),
      ),
    fix: 'Set NONCE_REDIS_URL.',
  },
  {
    name: 'redis-healthy',
    appliesTo: toRedis,
    find: async ({ redis }) => {
      if (redis === null) return failed(NO_REDIS, 'Set NONCE_REDIS_URL in all processes.');
      await redis.canary();
      return passed('every shard was written to and read');
    },
    fix: 'Bring Redis back, and let this process reach every primary of it.',
  },
  {
    name: 'redis-eviction',
    appliesTo: toPerformance,
    find: async ({ redis }) => {
      const found = await redis?.settings();
      const [problem] = found?.problems ?? [];
      if (problem !== undefined) return failed(problem, FIX_EVICTION);
      return passed('Redis evicts nothing, as far as it tells');
    },
    fix: 'Set `maxmemory-policy noeviction`, and let this process read INFO.',
  },
  {
    name: 'redis-persistence',
    appliesTo: toPerformance,
    find: async ({ redis }) => {
      const found = await redis?.settings();
      const [warning] = found?.warnings ?? [];
      if (warning === undefined) return passed('Redis keeps what it is told');
      // Nothing is issued twice without it, so that it is asked for and not demanded.
      return { ok: true, detail: warning, fix: 'Set `appendonly yes`, `repl-backlog-ttl 0`.' };
    },
    fix: 'Let this process read INFO of Redis.',
  },
  {
    name: 'continuity',
    appliesTo: toPerformance,
    find: ({ continuity }) => Promise.resolve(findContinuity(continuity())),
    fix: 'Look at the log of this process.',
  },
  {
    name: 'queue-empty',
    appliesTo: isPromotion,
    find: async ({ redis }) => {
      const queued = (await redis?.queued()) ?? 0;
      if (queued === 0) return passed('no event waits');
      return failed(
        `${String(queued)} events of an earlier time wait in Redis`,
        'Flush them: POST /v1/ops/flush, or wait for a worker.',
      );
    },
    fix: 'Bring Redis back.',
  },
  {
    name: 'mirror-in-step',
    appliesTo: isPromotion,
    find: async ({ mirror }) => {
      const state = await mirror();
      if (state === null) return failed('nothing compares the mirror', 'Run a flush worker.');
      if (state.inStep) return passed(state.detail);
      return failed(state.detail, 'Wait until the comparator has repaired the mirror.');
    },
    fix: 'Bring Redis and Postgres back.',
  },
  {
    name: 'flush-worker-alive',
    appliesTo: toPerformance,
    find: async ({ flushers }) => {
      const workers = await flushers();
      if (workers > 0) return passed(`${String(workers)} worker(s) flush`);
      return failed('nobody flushes events to Postgres', 'Start apps/flush-worker with Redis.');
    },
    fix: 'Bring Postgres back.',
  },
  {
    name: 'database',
    appliesTo: toRedis,
    find: async ({ databaseProblems }) => {
      const [problem] = await databaseProblems();
      if (problem === undefined) return passed('Postgres keeps its commits');
      return failed(problem, 'Mend this setting of Postgres.');
    },
    fix: 'Bring Postgres back.',
  },
];

const FIX_EVICTION = 'Set `maxmemory-policy noeviction` on a Redis 7 or later.';

function findEdge({ from, to }: SwitchWay): Finding {
  const refusal = refuseEdge(from, to);
  if (refusal === null) return passed(`${to} may follow ${from}`);
  if (to === 'DEGRADED')
    return failed(refusal, 'Nobody orders DEGRADED: a failing Redis leads there.');
  const fix =
    from === to ? 'Nothing is to be done.' : `Go to ${modesAfter(from).join(' or ')} first.`;
  return failed(refusal, fix);
}

function findContinuity(view: ReturnType<PreflightSources['continuity']>): Finding {
  if (view === null) {
    return failed(
      'nothing keeps a witness of Postgres',
      'Set NONCE_REDIS_URL or NONCE_WITNESS_DIR.',
    );
  }
  if (!view.isHeld) return passed('nothing is on hold');
  return failed(
    view.reason ?? 'the database may have been set back',
    'Reconcile, or confirm the state as an operator.',
  );
}
