import { NonceError } from '../../domain/errors/nonce-error';
import { outpaced } from '../../domain/errors/outpaced';
import type { AllocateAnswer } from '../../ports/allocation-store.port';
import type { Grant } from '../../ports/engine.port';
import type { FastRecordAnswer } from '../../ports/fast-epoch-store.port';
import type { FastAllocateAnswer, FastGrant, FastView } from '../../ports/fast-store.port';
import type { FastRequest } from './fast-request';
import type { PerformanceEngineOptions } from './performance-options';
import type { PerformanceEnginePorts } from './performance-ports';
import type { RecordDesk } from './record-desk';
import type { SettleDesk } from './settle-desk';
import { newlyGranted } from './to-allocation';

export type Granted = Extract<FastAllocateAnswer, { kind: 'granted' }>;
type Recorded = Extract<AllocateAnswer, { kind: 'granted' }>;

/**
 * Makes an answer of what the fast store granted. A grant whose holder may send without an intent
 * is durable before it is answered, so that "no row" always means "nobody may send"; one that bears
 * an operation, or replaces an earlier holder, is so under every policy.
 */
export class GrantRecorder {
  constructor(
    private readonly ports: PerformanceEnginePorts,
    private readonly options: PerformanceEngineOptions,
    private readonly records: RecordDesk,
    private readonly settles: SettleDesk,
  ) {}

  needsRecord({ grants }: Granted): boolean {
    const { intents } = this.options;
    return grants.some(
      ({ operationId, source, exposure }) =>
        operationId !== null ||
        source === 'replacement' ||
        (intents === 'strict' && exposure !== 'declared'),
    );
  }

  /** The answer where nothing has to be recorded. */
  answer({ row }: FastRequest, { grants, replayed }: Granted): Grant {
    const contiguous = isContiguous(grants);
    return {
      allocations: grants.map(newlyGranted),
      contiguous,
      replayed: replayed && !isOwn(row.ids, grants),
    };
  }

  /**
   * `fenced`: Postgres knows another holder; the fast store forgets these nonces.
   * @throws NonceError NONCE_IDEMPOTENCY_REUSED, NONCE_OUTCOME_UNKNOWN, NONCE_STORE_UNAVAILABLE.
   */
  async record(
    request: FastRequest,
    view: FastView,
    { grants }: Granted,
  ): Promise<Grant | 'fenced'> {
    const own = isOwn(request.row.ids, grants);
    const answer = await this.ask(request, grants);
    switch (answer.kind) {
      case 'granted':
        return own ? this.ownAnswer(view, grants, answer) : this.sharedAnswer(request, answer);
      case 'refused':
        if (own) await this.settles.giveBack(view, grants);
        throw new NonceError(answer.code, { context: answer.context });
      case 'absent':
      case 'contended':
        throw outpaced();
      case 'fenced': {
        const lost = grants.filter(({ id }) => answer.ids?.includes(id) ?? true);
        const rest = grants.filter((grant) => !lost.includes(grant));
        await Promise.all([
          ...lost.map(({ id, nonce }) => this.settles.tell('drop', { view, id, nonce })),
          this.settles.giveBack(view, own ? rest : []),
        ]);
        return 'fenced';
      }
    }
  }

  /** A late report about a bound nonce may just be written; it decides, and takes a moment. */
  private async ask({ row }: FastRequest, grants: readonly FastGrant[]): Promise<FastRecordAnswer> {
    const { attempts, backoffMs } = this.options.retry;
    for (let attempt = 1; ; attempt += 1) {
      const answer = await this.records.record({ grants, requestHash: row.requestHash });
      if (answer.kind !== 'contended' || attempt >= attempts) return answer;
      await this.ports.clock.sleep(backoffMs * 2 ** (attempt - 1));
    }
  }

  /** Its operation may have been bound before: then what was granted now goes back. */
  private async ownAnswer(
    view: FastView,
    grants: readonly FastGrant[],
    { allocations, contiguous, replayed }: Recorded,
  ): Promise<Grant | 'fenced'> {
    const answered = new Set(allocations.map(({ id }) => id));
    const granted = new Set(grants.map(({ id }) => id));
    const unused = grants.filter(({ id }) => !answered.has(id));
    if (unused.length > 0) await this.settles.giveBack(view, unused);
    // Its deadline passed before it was recorded: whoever is answered now would not hold it.
    const isLate = allocations.some(({ operationId, stage }) => {
      return stage === 'REUSABLE' || (operationId === null && stage !== 'GRANTED');
    });
    if (isLate) return 'fenced';
    return {
      allocations,
      contiguous,
      replayed: replayed && !allocations.every(({ id }) => granted.has(id)),
    };
  }

  /**
   * The fast store answered with the nonces of another call of the operation, which may still be
   * about to record them. From now on neither can say for both that nothing was sent.
   */
  private async sharedAnswer({ row }: FastRequest, recorded: Recorded): Promise<Grant> {
    const { submitter, operationId, requestHash, ids, exposure } = row;
    if (operationId === null) return { ...recorded, replayed: true };
    const bound = await this.records.bindingOf({
      submitter,
      operationId,
      requestHash,
      count: ids.length,
      exposure,
    });
    if (bound?.kind === 'granted') return { ...bound, replayed: true };
    if (bound?.kind === 'refused') throw new NonceError(bound.code, { context: bound.context });
    throw outpaced();
  }
}

/** Granted to this very call: found again after a lost reply it is no replay. */
function isOwn(ids: readonly string[], granted: readonly { readonly id: string }[]): boolean {
  return granted.every(({ id }) => ids.includes(id));
}

function isContiguous(grants: readonly FastGrant[]): boolean {
  return grants.every(({ nonce }, i) => nonce === (grants[0]?.nonce ?? 0) + i);
}
