import type { AllocationStore } from '../../ports/allocation-store.port';
import type { BaselineSource } from '../../ports/baseline.port';
import type { ChainRegistry } from '../../ports/chain.port';
import type { Clock } from '../../ports/clock.port';
import type { EventSink } from '../../ports/events.port';
import type { FastEpochStore } from '../../ports/fast-epoch-store.port';
import type { FastStore } from '../../ports/fast-store.port';
import type { FlushStore } from '../../ports/flush-store.port';
import type { Logger } from '../../ports/logger.port';
import type { Metrics } from '../../ports/metrics.port';
import type { ModeSource } from '../../ports/mode-source.port';
import type { SubmitterStore } from '../../ports/submitter-store.port';
import type { EpochHandOver } from '../../ports/take-over.port';
import type { Continuity } from '../../ports/witness.port';

/** What the performance engine needs from the world. */
export interface PerformanceEnginePorts {
  readonly fast: FastStore;
  readonly epochs: FastEpochStore;
  readonly store: AllocationStore;
  readonly flush: Pick<FlushStore, 'apply'>;
  readonly continuity: Continuity;
  readonly mode: Pick<ModeSource, 'current' | 'refresh' | 'engineFor'>;
  readonly handOver: EpochHandOver;
  readonly submitters: Pick<SubmitterStore, 'view'>;
  readonly baseline: BaselineSource;
  readonly chains: ChainRegistry;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly events: EventSink;
  readonly logger: Logger;
}
