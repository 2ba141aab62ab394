import type { QuarantinePolicy } from '../domain/quarantine-policy';
import type { ChainId } from '../domain/submitter';
import type { StuckHook } from '../ports/stuck-hook.port';
import type { TransactionSigner } from '../ports/signer.port';
import type { AttemptBounds } from './tracking-decision';
import type { BurnSigner } from '../ports/burn-signer.port';
import type { ChainRegistry } from '../ports/chain.port';
import type { EventSink } from '../ports/events.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import type { TrackingStore } from '../ports/tracking-store.port';

/** What the tracker works with. */
export interface TrackingDeps {
  readonly store: TrackingStore;
  readonly chains: ChainRegistry;
  readonly events: EventSink;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Heads that are followed in this process: rows are looked at when blocks ask for it. */
  readonly heads?: { headOf(chainId: ChainId): unknown };
  /** null where nobody can sign burns: quarantined nonces are not closed then. */
  readonly burnSigner: BurnSigner | null;
  /** null where nobody can sign anew: fees are not raised then. */
  readonly signer: TransactionSigner | null;
  /** null where nobody decides about stuck nonces: what helps by itself is done, the rest is told. */
  readonly stuckHook: StuckHook | null;
}

export interface TrackingSettings {
  readonly quarantine: QuarantinePolicy;
  /** Rows claimed by one look; what is left is claimed by the next. */
  readonly batchMax: number;
  /** For how long a claim keeps other workers off; longer than a look takes. */
  readonly claimMs: number;
  /** Time without any news after which a row is reported as stuck. */
  readonly stuckAfterMs: number;
  readonly attempts: AttemptBounds;
}

/** Defaults, each with its reason. */
export const TRACKING_DEFAULTS = {
  /** One batch of receipts; several batches follow each other within one tick. */
  batchMax: 200,
  /** Above the sum of the bounded RPC calls of one look. */
  claimMs: 30_000,
  /** Ten minutes: longer than a congested block queue usually holds a well-priced transaction. */
  stuckAfterMs: 600_000,
  /**
   * Six a minute are one per block of a slow chain, and no node calls that a flood. 20,000 last for
   * two weeks at the slowest pace, which is longer than a top-up takes (I-10).
   */
  attempts: { perMinute: 6, total: 20_000 },
} as const;
