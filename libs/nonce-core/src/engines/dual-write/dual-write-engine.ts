import type { Hex } from '../../domain/brand';
import type { Submitter } from '../../domain/submitter';
import type { SubmitterView } from '../../domain/submitter-view';
import type {
  AllocateCommand,
  AllocationRef,
  CommandAnswer,
  Grant,
  NonceEngine,
} from '../../ports/engine.port';
import type { Mirror } from '../../ports/mirror.port';
import type { TransactionHandle } from '../../ports/transaction.port';

/**
 * Postgres decides, by the engine that is given; afterwards the mirror is told, and nobody waits for
 * it. Nothing is ever read from it: what stands there, or that nothing does, changes no answer.
 *
 * Not told: what joins a caller's transaction, since only the caller learns whether it commits, and
 * what trackers and sweeps do. The comparison brings both.
 */
export class DualWriteEngine implements NonceEngine {
  readonly name = 'dual-write';

  constructor(
    private readonly authority: NonceEngine,
    private readonly mirror: Mirror,
  ) {}

  async allocate(command: AllocateCommand): Promise<Grant> {
    const grant = await this.authority.allocate(command);
    if (!grant.replayed) this.mirror.tell(grant.allocations);
    return grant;
  }

  intent(ref: AllocationRef, tx: { txHash: Hex; rawTx?: Hex }): Promise<CommandAnswer> {
    return this.told(this.authority.intent(ref, tx));
  }

  markSubmitted(
    ref: AllocationRef,
    tx: { txHash: Hex },
    handle?: TransactionHandle,
  ): Promise<CommandAnswer> {
    if (handle !== undefined) return this.authority.markSubmitted(ref, tx, handle);
    return this.told(this.authority.markSubmitted(ref, tx));
  }

  markUsed(
    ref: AllocationRef,
    tx: { txHash?: Hex },
    handle?: TransactionHandle,
  ): Promise<CommandAnswer> {
    if (handle !== undefined) return this.authority.markUsed(ref, tx, handle);
    return this.told(this.authority.markUsed(ref, tx));
  }

  markRecyclable(ref: AllocationRef, why: { reason: string }): Promise<CommandAnswer> {
    return this.told(this.authority.markRecyclable(ref, why));
  }

  quarantine(ref: AllocationRef, why: { reason: string }): Promise<CommandAnswer> {
    return this.told(this.authority.quarantine(ref, why));
  }

  keepReserved(ref: AllocationRef, keep: { note: string; ttlMs: number }): Promise<CommandAnswer> {
    return this.told(this.authority.keepReserved(ref, keep));
  }

  heartbeat(ref: AllocationRef, beat: { ttlMs: number }): Promise<CommandAnswer> {
    return this.told(this.authority.heartbeat(ref, beat));
  }

  inspect(submitter: Submitter): Promise<SubmitterView> {
    return this.authority.inspect(submitter);
  }

  private async told(said: Promise<CommandAnswer>): Promise<CommandAnswer> {
    const answer = await said;
    if (answer.changed) this.mirror.tell([answer.allocation]);
    return answer;
  }
}
