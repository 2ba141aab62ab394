/** What one run of one contender showed. */
export interface Sample {
  readonly calls: number;
  readonly elapsedMs: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Middle and extremes of the rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/**
 * The nearest-rank percentile of values sorted in ascending order: the smallest value that at least
 * `fraction` of all values do not exceed. NaN when there are none.
 */
export function percentile(sorted: ArrayLike<number>, fraction: number): number {
  const rank = Math.ceil(fraction * sorted.length);
  return sorted[Math.min(Math.max(rank, 1), sorted.length) - 1] ?? NaN;
}

export function toSample(latenciesMs: readonly number[], elapsedMs: number): Sample {
  const sorted = Float64Array.from(latenciesMs).sort();
  return {
    calls: sorted.length,
    elapsedMs,
    perSecond: (sorted.length / elapsedMs) * 1_000,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
  };
}

/**
 * The sample of several nodes that worked at the same time: rates add up, and the slowest node
 * speaks for the latency, because a mean would hide a node that starves.
 */
export function ofAllNodes(samples: readonly Sample[]): Sample {
  return {
    calls: total(samples.map((sample) => sample.calls)),
    elapsedMs: Math.max(...samples.map((sample) => sample.elapsedMs)),
    perSecond: total(samples.map((sample) => sample.perSecond)),
    p50Ms: Math.max(...samples.map((sample) => sample.p50Ms)),
    p99Ms: Math.max(...samples.map((sample) => sample.p99Ms)),
  };
}

/** The median of an even number of values is the mean of the middle two. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  const lower = sorted.length % 2 === 0 ? (sorted[middle - 1] ?? NaN) : upper;
  return { median: (lower + upper) / 2, min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN };
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
