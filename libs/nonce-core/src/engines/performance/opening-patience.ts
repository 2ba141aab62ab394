import type { Epoch } from '../../domain/epoch';
import type { Submitter } from '../../domain/submitter';
import type { Clock } from '../../ports/clock.port';
import type { FastAllocateAnswer, FastView } from '../../ports/fast-store.port';

type Stale = Extract<FastAllocateAnswer, { kind: 'stale' }>;

const POLL_MS = 5;

/**
 * The node that won an epoch needs a moment to open it in the fast store, in which others find
 * nothing, or the epoch before. They wait that moment, and no longer: the winner may be dead.
 */
export class OpeningPatience {
  private readonly since = new Map<Submitter, { readonly epoch: Epoch; readonly atMs: number }>();

  constructor(
    private readonly clock: Clock,
    private readonly waitMs: number,
  ) {}

  /** True after a short wait when the epoch may be opened yet, false when it is of no use. */
  async mayOpenYet(
    { submitter, epoch }: FastView,
    { reason, epoch: found }: Stale,
  ): Promise<boolean> {
    const isEarlier = reason !== 'incarnation' && found !== null && found < epoch;
    const notThereYet = reason === 'absent' || isEarlier || (reason === 'epoch' && found === null);
    if (!notThereYet) return false;
    const nowMs = this.clock.monotonicMs();
    const known = this.since.get(submitter);
    if (known?.epoch !== epoch) this.since.set(submitter, { epoch, atMs: nowMs });
    else if (nowMs - known.atMs >= this.waitMs) {
      this.since.delete(submitter);
      return false;
    }
    await this.clock.sleep(POLL_MS);
    return true;
  }

  ended(submitter: Submitter): void {
    if (this.since.size > 0) this.since.delete(submitter);
  }
}
