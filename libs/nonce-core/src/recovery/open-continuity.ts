import type { QuarantinePolicy } from '../domain/quarantine-policy';
import type { ChainId } from '../domain/submitter';
import type { AccessStore } from '../ports/access-store.port';
import type { AllocationStore } from '../ports/allocation-store.port';
import type { BaselineSource } from '../ports/baseline.port';
import type { Clock } from '../ports/clock.port';
import type { ContinuityStore } from '../ports/continuity-store.port';
import type { EventSink } from '../ports/events.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import type { ReconciliationStore } from '../ports/reconciliation-store.port';
import type { WitnessStore } from '../ports/witness.port';
import { ServerContinuity } from './continuity';
import { ContinuityWatch } from './continuity-watch';
import { RecoverLost } from './recover-lost';
import { RecoverUnwitnessed } from './recover-unwitnessed';
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
  readonly submitters: Pick<ReconciliationStore, 'page'>;
  /** Window of submitters that have none of their own; 0 = no limit. */
  readonly defaultWindow: (chainId: ChainId) => number;
  /** Told that commits were lost, once they are recovered as far as witnesses tell. */
  readonly afterLoss?: (reason: string) => void;
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
  const continuity = new ServerContinuity({
    ...{ store, places, lost, audit, metrics, logger },
    afterLoss: parts.afterLoss ?? (() => undefined),
  });
  const unwitnessed = new RecoverUnwitnessed({ ...parts, lost });
  const deps = { continuity, store, lost, unwitnessed, audit, events, metrics, logger };
  return { continuity, watch: new ContinuityWatch(deps) };
}
