import autocannon from 'autocannon';
import type { LastingMode } from '@noncekit/nonce-core/domain';
import type { BenchCase, Comparison, Contender } from '../bench-case';
import { TTL_MS } from '../contenders/raw-statements';
import { startApi, startEmptyApi, type HttpNode } from '../http-node';
import type { Sample } from '../statistics';
import { submitterAt } from '../submitters';

const EMPTY = 'the same framework, empty handler';
const CONNECTIONS = 64;
const MODES: readonly LastingMode[] = ['RELIABLE', 'DUAL_WRITE', 'PERFORMANCE'];

/** What the stores add to a request that is validated and answered anyway. */
export const httpAllocate: BenchCase = {
  name: 'http',
  title: 'Allocation over HTTP, 64 connections',
  notes: [
    'The load generator shares the cores with the server, so all ratios are lower bounds of what a machine of its own would show. Events of PERFORMANCE stay in the stream, and nothing compares the mirror of DUAL_WRITE: both are the work of workers.',
  ],
  async open(stores) {
    const { redisUrl } = stores;
    const nodes: HttpNode[] = [];
    const contenders: Contender[] = [];
    const add = async (name: string, start: () => Promise<HttpNode>): Promise<void> => {
      const node = await start();
      nodes.push(node);
      contenders.push({ name, run: (durationMs) => load(node, durationMs) });
    };
    const close = async (): Promise<void> => {
      await Promise.all(nodes.map((node) => node.stop()));
      await stores.flushRedis();
    };
    const modes = redisUrl === undefined ? MODES.slice(0, 1) : MODES;
    try {
      for (const mode of modes) {
        const databaseUrl = await stores.database();
        // RELIABLE without its lock: a single process has nobody to share rows with.
        const redis = redisUrl === undefined ? null : { url: redisUrl, mode };
        await add(nameOf(mode), () =>
          startApi({ databaseUrl, redis: mode === 'RELIABLE' ? null : redis }),
        );
      }
      await add(EMPTY, startEmptyApi);
    } catch (error) {
      await close();
      throw error;
    }
    return { contenders, comparisons: modes.flatMap(comparisonsOf), close };
  },
};

function nameOf(mode: LastingMode): string {
  return `noncekit API, ${mode}`;
}

function comparisonsOf(mode: LastingMode): readonly Comparison[] {
  const pair = { of: nameOf(mode), to: EMPTY };
  return [
    { label: `${mode} to an empty handler`, ...pair, by: 'perSecond', target: '≥ 0.8' },
    { label: `${mode}, p99`, ...pair, by: 'p99Ms', target: '–' },
  ];
}

async function load(node: HttpNode, durationMs: number): Promise<Sample> {
  const result = await autocannon({
    url: `${node.url}/v1/submitters/${submitterAt(0)}/allocations`,
    method: 'POST',
    headers: { 'content-type': 'application/json', ...node.headers },
    body: JSON.stringify({ ttlMs: TTL_MS }),
    connections: CONNECTIONS,
    duration: Math.max(1, Math.ceil(durationMs / 1_000)),
  });
  const failures = result.non2xx + result.errors + result.timeouts;
  if (failures > 0) throw new Error(`${String(failures)} requests failed at ${node.url}`);
  const elapsedMs = result.duration * 1_000;
  return {
    calls: result.requests.total,
    elapsedMs,
    perSecond: (result.requests.total / elapsedMs) * 1_000,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
  };
}
