import type { FlushDeps, FlushSettings } from './flush-deps';

/** Renewals per lease, so that a slow one loses nothing. */
const RENEWALS_PER_LEASE = 3;

/** The shards that this worker flushes, claimed in Postgres and renewed now and then. */
export class ShardClaims {
  private shards: readonly number[] = [];
  private renewAtMs = 0;

  constructor(
    private readonly deps: Pick<FlushDeps, 'store' | 'clock'>,
    private readonly settings: Pick<FlushSettings, 'worker' | 'shards' | 'leaseMs'>,
  ) {}

  /** As of the last renewal. */
  get held(): readonly number[] {
    return this.shards;
  }

  /** @throws NonceError NONCE_STORE_UNAVAILABLE: without its claims a worker takes nothing. */
  async current(): Promise<readonly number[]> {
    const { store, clock } = this.deps;
    const nowMs = clock.monotonicMs();
    if (nowMs < this.renewAtMs) return this.shards;
    this.shards = await store.claimShards(this.settings);
    this.renewAtMs = nowMs + this.settings.leaseMs / RENEWALS_PER_LEASE;
    return this.shards;
  }

  /** Others may take them at once. */
  async release(): Promise<void> {
    this.shards = [];
    this.renewAtMs = 0;
    await this.deps.store.releaseShards(this.settings.worker);
  }
}
