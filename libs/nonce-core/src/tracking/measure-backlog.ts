import type { TrackingDeps } from './tracking-deps';

/** Sets the gauges of open work, so that a scrape reads no table. */
export class MeasureBacklog {
  constructor(private readonly deps: Pick<TrackingDeps, 'store' | 'metrics'>) {}

  async tick(): Promise<void> {
    const backlog = await this.deps.store.backlog();
    this.deps.metrics.set('nonce_reserved_overdue', {}, backlog.overdueReservations);
    this.deps.metrics.set('nonce_quarantined', {}, backlog.quarantined);
    this.deps.metrics.set('nonce_stuck', {}, backlog.stuck);
    this.deps.metrics.set('nonce_recyclable_total', {}, backlog.recyclable);
  }
}
