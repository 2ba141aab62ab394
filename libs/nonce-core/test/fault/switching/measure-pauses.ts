import type { AllocatedFact, History } from '../history/history';

/** One switch as its caller saw it, by the clock that all processes of a machine share. */
export interface SwitchSpan {
  readonly edge: string;
  readonly fromUs: number;
  readonly toUs: number;
}

export interface Pauses {
  /** Of all callers that a switch fell upon, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly callers: number;
  /** Of the callers before the first switch: what the machine makes of this load without any. */
  readonly quietP99Ms: number;
  /** How often each edge was taken, and the longest that somebody waited. */
  readonly edges: Readonly<Record<string, { readonly times: number; readonly longestMs: number }>>;
}

/** Callers that come this long after a switch may still meet a node that has not heard of it. */
const AFTERMATH_US = 300_000;
const US_PER_MS = 1_000;

/** How long allocations took that a switch fell into. */
export function measurePauses(history: History, switches: readonly SwitchSpan[]): Pauses {
  const calls = history.filter((fact): fact is AllocatedFact => fact.kind === 'allocated');
  const edges: Record<string, { times: number; longestMs: number }> = {};
  const all: number[] = [];
  for (const { edge, fromUs, toUs } of switches) {
    const until = toUs + AFTERMATH_US;
    const met = calls.filter(({ askedUs, atUs }) => askedUs <= until && atUs >= fromUs);
    const tookMs = met.map(tookMsOf);
    const known = edges[edge] ?? { times: 0, longestMs: 0 };
    const longestMs = Math.round(Math.max(known.longestMs, ...tookMs));
    edges[edge] = { times: known.times + 1, longestMs };
    all.push(...tookMs);
  }
  const startUs = switches[0]?.fromUs ?? Infinity;
  const quiet = calls.filter(({ atUs }) => atUs < startUs);
  return {
    ...{ p50Ms: quantile(all, 0.5), p99Ms: quantile(all, 0.99), callers: all.length, edges },
    quietP99Ms: quantile(quiet.map(tookMsOf), 0.99),
  };
}

function tookMsOf({ askedUs, atUs }: AllocatedFact): number {
  return (atUs - askedUs) / US_PER_MS;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
}
