export interface StoreHealth {
  readonly store: 'postgres' | 'redis';
  readonly up: boolean;
  /** Round-trip time of the probe, milliseconds; null when it failed. */
  readonly latencyMs: number | null;
  readonly detail: string | null;
}

/** One bounded round trip; never rejects. */
export interface HealthProbe {
  readonly store: StoreHealth['store'];
  check(timeoutMs: number): Promise<StoreHealth>;
}
