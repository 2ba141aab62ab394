/**
 * How many fresh nonces may still be issued: highest granted - chain count stays within the window
 * (L3). Reusable nonces are never limited. `maxInFlight` 0 means no limit.
 */
export function freshRoom(facts: {
  readonly nextLocalNonce: number;
  readonly chainLatestCount: number;
  readonly maxInFlight: number;
}): number {
  if (facts.maxInFlight === 0) return Number.POSITIVE_INFINITY;
  return Math.max(0, facts.chainLatestCount + facts.maxInFlight - facts.nextLocalNonce);
}
