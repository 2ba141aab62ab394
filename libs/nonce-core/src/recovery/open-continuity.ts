import type { QuarantinePolicy } from '../domain/quarantine-policy';
import type { AccessStore } from '../ports/access-store.port';
import type { AllocationStore } from '../ports/allocation-store.port';
import type { BaselineSource } from '../ports/baseline.port';
import type { Clock } from '../ports/clock.port';
import type { ContinuityStore } from '../ports/continuity-store.port';
import type { EventSink } from '../ports/events.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import type { WitnessStore } from '../ports/witness.port';
import { ServerContinuity } from './continuity';
import { ContinuityWatch } from './continuity-watch';
import { RecoverLost } from './recover-lost';
import { WitnessPlaces } from './witness-places';

export interface ContinuityParts {
  readonly store: ContinuityStore;
  /** Durable witnesses; without any a restore is only noticed by processes that survive it. */
  readonly stores: readonly WitnessStore[];
  readonly allocations: Pick<AllocationStore, 'open'>;
  readonly baselines: BaselineSource;
  readonly audit: Pick<AccessStore, 'audit'>;
  readonly events: EventSink;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly quarantine: QuarantinePolicy;
}

export interface OpenContinuity {
  /** For engines, and as the guard of the statement runner. */
  readonly continuity: ServerContinuity;
  /** To be ticked every few seconds; for operators and health. */
  readonly watch: ContinuityWatch;
}

/** Everything of continuity, of the ports of one process. */
export function openContinuity(parts: ContinuityParts): OpenContinuity {
  const { store, audit, events, metrics, logger } = parts;
  if (parts.stores.length === 0) {
    logger.warn('no witness is configured: set NONCE_WITNESS_DIR, or use Redis', {});
  }
  const lost = new RecoverLost(parts);
  const places = new WitnessPlaces(parts);
  const continuity = new ServerContinuity({ store, places, lost, audit, metrics, logger });
  const deps = { continuity, store, lost, audit, events, metrics, logger };
  return { continuity, watch: new ContinuityWatch(deps) };
}
