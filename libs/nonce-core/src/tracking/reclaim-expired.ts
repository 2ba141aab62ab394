import type { QuarantinePolicy } from '../domain/quarantine-policy';
import type { TrackingDeps } from './tracking-deps';

/** Rows settled by one statement. */
const BATCH_MAX = 500;
/** Bound of one tick; what is left then is found by the next one. */
const MAX_BATCHES_PER_TICK = 50;

/**
 * Settles reservations past their deadline, by the database's clock: proven unsent ones become
 * REUSABLE, the others go to quarantine (L6). The allocation statement does the same for its own
 * submitters, so a nonce does not wait for this sweep when somebody wants one.
 */
export class ReclaimExpired {
  constructor(
    private readonly deps: Pick<TrackingDeps, 'store' | 'events' | 'metrics'>,
    private readonly quarantine: QuarantinePolicy,
  ) {}

  /** @returns how many reservations were settled. */
  async tick(signal?: AbortSignal): Promise<number> {
    let total = 0;
    for (let batch = 0; batch < MAX_BATCHES_PER_TICK; batch += 1) {
      if (signal?.aborted === true) break;
      const settled = await this.deps.store.reclaimExpired({
        limit: BATCH_MAX,
        quarantine: this.quarantine,
      });
      for (const { submitter, nonce, id, stage } of settled) {
        const labels = { from: 'GRANTED', to: stage, cause: 'deadline' };
        this.deps.metrics.count('nonce_transitions_total', labels);
        const expired = { submitter, nonce, allocationId: id, to: stage };
        this.deps.events.publish('allocation.expired', expired);
      }
      total += settled.length;
      if (settled.length === 0) break;
    }
    return total;
  }
}
