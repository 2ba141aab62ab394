import type { Submitter } from '../domain/submitter';
import type { ContinuityStore, SubmitterRecovery } from '../ports/continuity-store.port';
import type { AccessStore } from '../ports/access-store.port';
import type { EventSink } from '../ports/events.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import type {
  ContinuityView,
  OperatorWord,
  ServerContinuity,
  WitnessComparison,
} from './continuity';
import type { RecoverLost } from './recover-lost';
import type { RecoverUnwitnessed } from './recover-unwitnessed';

export interface ContinuityWatchDeps {
  readonly continuity: ServerContinuity;
  readonly store: ContinuityStore;
  readonly lost: RecoverLost;
  readonly unwitnessed: Pick<RecoverUnwitnessed, 'recover'>;
  readonly audit: Pick<AccessStore, 'audit'>;
  readonly events: EventSink;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

export interface RecoveryState extends ContinuityView {
  readonly recoveries: {
    readonly total: number;
    readonly items: readonly SubmitterRecovery[];
  };
}

const LISTED_MAX = 100;

/**
 * Looks at the database once per tick, in every process that issues nonces: notices another run of
 * it, tells the witnesses how far its log is, and ends recoveries that are settled.
 */
export class ContinuityWatch {
  private ticking: Promise<void> | null = null;

  constructor(private readonly deps: ContinuityWatchDeps) {}

  /** Ticks do not overlap. @throws NonceError as `ServerContinuity.verify`; the next tick repeats it. */
  tick(): Promise<void> {
    this.ticking ??= this.work().finally(() => {
      this.ticking = null;
    });
    return this.ticking;
  }

  async state(): Promise<RecoveryState> {
    const recoveries = await this.deps.store.recoveries(LISTED_MAX);
    return { ...this.deps.continuity.view(), recoveries };
  }

  /** How many submitters, or whether this one, are behind their witnesses; unless it is a dry run they are recovered. */
  compareWitnesses(dryRun: boolean, only?: Submitter): Promise<WitnessComparison> {
    return this.deps.continuity.compareWitnesses(dryRun, only);
  }

  /**
   * Lifts a hold. Unless the operator says that the database is intact, every submitter is recovered
   * first as if all it could have issued had been lost. @returns false when there was none.
   * @throws NonceError NONCE_CHAIN_UNREACHABLE, NONCE_STORE_UNAVAILABLE: the hold stays; repeat it.
   */
  async confirm(word: OperatorWord): Promise<boolean> {
    const { continuity, unwitnessed } = this.deps;
    await continuity.verify();
    const { status, server } = continuity.view();
    if (status === 'held' && server !== null && word.intact !== true) {
      await unwitnessed.recover(server);
    }
    return continuity.confirm(word);
  }

  /** Ends one submitter's recovery, although nonces of it may still be in quarantine. Audited. */
  async leave(submitter: Submitter, word: OperatorWord): Promise<boolean> {
    if (!(await this.deps.store.leave(submitter))) return false;
    await this.deps.audit.audit({ ...word, action: 'recovery.leave', subject: submitter });
    this.deps.events.publish('recovery.left', { submitter });
    return true;
  }

  private async work(): Promise<void> {
    const { continuity, store, lost, events, metrics, logger } = this.deps;
    await continuity.verify();
    const { server, status } = continuity.view();
    if (status !== 'trusted' || server === null) return;
    const { items } = await store.recoveries(LISTED_MAX);
    const cutOff = items.filter(({ finished }) => !finished).map(({ submitter }) => submitter);
    await lost.continueCutOff(server, cutOff);
    for (const submitter of await store.leaveSettled()) {
      events.publish('recovery.left', { submitter });
      logger.info('submitter left recovery', { submitter });
    }
    metrics.set('nonce_recovery_submitters', {}, (await store.recoveries(1)).total);
  }
}
