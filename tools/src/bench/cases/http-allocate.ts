import autocannon from 'autocannon';
import type { BenchCase } from '../bench-case';
import { TTL_MS } from '../contenders/raw-statements';
import { startApi, startEmptyApi, type HttpNode } from '../http-node';
import type { Sample } from '../statistics';
import { submitterAt } from '../submitters';

const API = 'noncekit API, reliable';
const EMPTY = 'the same framework, empty handler';
const CONNECTIONS = 64;

/** What the database adds to a request that is validated and answered anyway. */
export const httpAllocate: BenchCase = {
  name: 'http',
  title: 'Allocation over HTTP, 64 connections',
  notes: [
    'The load generator shares the cores with the server, so both ratios are lower bounds of what a machine of its own would show.',
  ],
  async open(stores) {
    const api = await startApi(await stores.database());
    const empty = await startEmptyApi();
    return {
      contenders: [
        { name: API, run: (durationMs) => load(api, durationMs) },
        { name: EMPTY, run: (durationMs) => load(empty, durationMs) },
      ],
      comparisons: [
        { label: 'to an empty handler', of: API, to: EMPTY, by: 'perSecond', target: '≥ 0.8' },
        { label: 'p99', of: API, to: EMPTY, by: 'p99Ms', target: '–' },
      ],
      async close() {
        await Promise.all([api.stop(), empty.stop()]);
      },
    };
  },
};

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
