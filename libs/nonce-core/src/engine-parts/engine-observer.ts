import { ALLOCATION_SOURCES, type Allocation, type AllocationSource } from '../domain/allocation';
import type { AllocationStage } from '../domain/allocation-state';
import type { EngineName } from '../domain/epoch';
import type { HolderCommand } from '../domain/holder-command';
import type { EventSink } from '../ports/events.port';
import type { Metrics } from '../ports/metrics.port';

/** The stage a nonce left when it was granted; null when its row came into being. */
const LEFT_BY_GRANT: Readonly<Record<AllocationSource, AllocationStage | null>> = {
  fresh: null,
  recycled: 'REUSABLE',
  replacement: 'QUARANTINED',
};

/** Tells metrics and listeners what became durable. Adds nothing to any decision. */
export class EngineObserver {
  private readonly engineLabel: { readonly engine: string };
  private readonly grantLabels: Readonly<
    Record<AllocationSource, { engine: string; source: string; result: string }>
  >;

  constructor(
    private readonly engine: EngineName,
    private readonly metrics: Metrics,
    private readonly events: EventSink,
  ) {
    const granted = (source: string) => ({ engine, source, result: 'granted' });
    this.engineLabel = { engine };
    this.grantLabels = {
      fresh: granted('fresh'),
      recycled: granted('recycled'),
      replacement: granted('replacement'),
    };
  }

  batch(size: number): void {
    this.metrics.observe('nonce_allocate_batch_size', this.engineLabel, size);
  }

  /** Everything one statement granted for the first time; a replay is no grant. */
  granted(allocations: readonly Allocation[]): void {
    for (const source of ALLOCATION_SOURCES) {
      const from = LEFT_BY_GRANT[source];
      let count = 0;
      for (const allocation of allocations) {
        if (allocation.source !== source) continue;
        count += 1;
        this.announce(allocation, from, 'allocate');
      }
      if (count === 0) continue;
      const labels = { from: from ?? 'NONE', to: 'GRANTED', cause: 'allocate' };
      this.metrics.count('nonce_allocations_total', this.grantLabels[source], count);
      this.metrics.count('nonce_transitions_total', labels, count);
    }
  }

  replayed(): void {
    const labels = { engine: this.engine, source: 'none', result: 'replayed' };
    this.metrics.count('nonce_allocations_total', labels);
  }

  refused(code: string): void {
    const labels = { engine: this.engine, source: 'none', result: code };
    this.metrics.count('nonce_allocations_total', labels);
  }

  allocateEnded(startedAtMs: number, nowMs: number): void {
    const seconds = (nowMs - startedAtMs) / 1_000;
    this.metrics.observe('nonce_allocate_duration_seconds', this.engineLabel, seconds);
  }

  /** A command changed the row; `from` is unknown when the store did not say. */
  commanded(command: HolderCommand, allocation: Allocation, from?: AllocationStage): void {
    if (command === 'keep' || command === 'heartbeat' || from === allocation.stage) return;
    this.transition(allocation, from ?? null, command);
    const reportedHash = command === 'submitted' || (command === 'used' && allocation.txHash);
    if (reportedHash && from === 'GRANTED' && allocation.exposure === 'declared') {
      this.metrics.count('nonce_intent_missing_total', {});
      this.anomaly('intent-missing', allocation);
    }
  }

  private anomaly(kind: string, allocation: Allocation): void {
    this.metrics.count('nonce_anomalies_total', { kind });
    this.events.publish('anomaly', {
      kind,
      submitter: allocation.submitter,
      detail: `nonce ${allocation.nonce}, allocation ${allocation.id}`,
    });
  }

  private transition(allocation: Allocation, from: AllocationStage | null, cause: string): void {
    const to = allocation.stage;
    this.metrics.count('nonce_transitions_total', { from: from ?? 'NONE', to, cause });
    this.announce(allocation, from, cause);
  }

  private announce(allocation: Allocation, from: AllocationStage | null, cause: string): void {
    this.events.publish('allocation.transition', {
      submitter: allocation.submitter,
      nonce: allocation.nonce,
      allocationId: allocation.id,
      from,
      to: allocation.stage,
      cause,
    });
  }
}
