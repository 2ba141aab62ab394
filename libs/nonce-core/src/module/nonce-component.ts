import { ALLOCATION_LIMITS, type Allocation, type Exposure } from '../domain/allocation';
import type { Hex } from '../domain/brand';
import { NonceError } from '../domain/errors/nonce-error';
import { toNonce } from '../domain/nonce';
import { parseSubmitter, type Submitter, type SubmitterInput } from '../domain/submitter';
import type { SubmitterView } from '../domain/submitter-view';
import type { AllocationRef } from '../ports/engine.port';
import type { TransactionHandle } from '../ports/transaction.port';
import type { NonceEngineManager } from '../routing/engine-manager';
import type { NonceContext } from '../template/nonce-context';
import type { NonceExecutionTemplate } from '../template/nonce-execution-template';
import type { SignedTransactions } from '../template/signed-transactions';
import type { SubmitterDefaultsCache } from '../template/submitter-defaults';
import type { TemplateSettings } from '../template/template-settings';
import type { NonceExecution, NonceHandler, WithNonceOptions } from '../template/with-nonce';

/** An allocation, its id, or a nonce that this process was granted. */
export type NonceRef =
  Allocation | AllocationRef | { readonly submitter: SubmitterInput; readonly nonce: number };

export interface AllocateOptions {
  /** 1…256; contiguous where possible. */
  readonly count?: number;
  readonly operationId?: string;
  readonly ttlMs?: number;
  readonly startNonce?: number;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /**
   * Default `declared`: who allocates by hand writes an intent before sending. Anything else says
   * that bytes may leave without one.
   */
  readonly exposure?: Exposure;
}

export interface SubmitSteps<T> {
  /** Signs; nothing may leave here. */
  prepare(ctx: NonceContext): Promise<Hex>;
  /** Broadcasts exactly these bytes; their intent is written. */
  send(rawTx: Hex, ctx: NonceContext): Promise<T>;
}

export interface ComponentParts {
  readonly template: NonceExecutionTemplate;
  readonly manager: NonceEngineManager;
  readonly transactions: SignedTransactions;
  readonly settings: TemplateSettings;
  readonly defaults: Pick<SubmitterDefaultsCache, 'of'>;
  readonly defaultChainId: number | undefined;
}

/** The facade: all that business code needs. */
export class NonceComponent {
  constructor(private readonly parts: ComponentParts) {}

  /**
   * Runs the handler with the next safe nonce and settles it by how the handler ends. Resolves with
   * undefined when the handler kept the nonce, or did not run because its operation was done.
   * @throws NonceError NONCE_OUTCOME_UNKNOWN when a transaction may be out: never run the work on
   * another nonce then. The handler's own error when nothing was sent.
   */
  async withNonce<T>(
    submitter: SubmitterInput,
    handler: NonceHandler<T>,
    options?: WithNonceOptions,
  ): Promise<T> {
    const execution = await this.execute(submitter, handler, options);
    return execution.value as T;
  }

  /** The same with the unified result. */
  execute<T>(
    submitter: SubmitterInput,
    handler: NonceHandler<T>,
    options?: WithNonceOptions,
  ): Promise<NonceExecution<T>> {
    return this.parts.template.execute(submitter, handler, options);
  }

  /** Signing and sending apart, so that the intent is written in between; always `declared`. */
  submit<T>(
    submitter: SubmitterInput,
    steps: SubmitSteps<T>,
    options?: Omit<WithNonceOptions, 'exposure'>,
  ): Promise<T> {
    const handler: NonceHandler<T> = async (ctx) => {
      const rawTx = await steps.prepare(ctx);
      const { txHash } = this.parts.transactions.read(rawTx);
      await ctx.intent({ txHash, rawTx });
      return steps.send(rawTx, ctx);
    };
    return this.withNonce(submitter, handler, { ...options, exposure: 'declared' });
  }

  /** Fails fast: a refusal is told at once, never waited out. */
  async allocate(input: SubmitterInput, options: AllocateOptions = {}): Promise<Allocation[]> {
    const { count = 1, operationId, ttlMs, startNonce, metadata } = options;
    const { exposure = 'declared' } = options;
    const submitter = this.submitter(input);
    const own = await this.parts.defaults.of(submitter);
    const grant = await this.parts.manager.allocate({
      submitter,
      count,
      ttlMs: ttlMs ?? own.ttlMs ?? this.parts.settings.ttlMs,
      exposure,
      ...(operationId === undefined ? {} : { operationId }),
      ...(startNonce === undefined ? {} : { startNonce: toNonce(startNonce) }),
      ...(metadata === undefined ? {} : { metadata }),
    });
    for (const allocation of grant.allocations) this.parts.template.held.add(allocation);
    return [...grant.allocations];
  }

  async intent(ref: NonceRef, tx: { txHash: Hex; rawTx?: Hex }): Promise<Allocation> {
    return (await this.parts.manager.intent(this.refOf(ref), tx)).allocation;
  }

  async markSubmitted(
    ref: NonceRef,
    { txHash, manager }: { txHash: Hex; manager?: TransactionHandle },
  ): Promise<Allocation> {
    const answer = await this.parts.manager.markSubmitted(this.refOf(ref), { txHash }, manager);
    return answer.allocation;
  }

  async markUsed(
    ref: NonceRef,
    { txHash, manager }: { txHash?: Hex; manager?: TransactionHandle } = {},
  ): Promise<Allocation> {
    const words = txHash === undefined ? {} : { txHash };
    return (await this.parts.manager.markUsed(this.refOf(ref), words, manager)).allocation;
  }

  async markRecyclable(ref: NonceRef, why: { reason: string }): Promise<Allocation> {
    return (await this.parts.manager.markRecyclable(this.refOf(ref), why)).allocation;
  }

  async keepReserved(ref: NonceRef, keep: { note: string; ttlMs?: number }): Promise<Allocation> {
    const { note, ttlMs = this.parts.settings.ttlMs } = keep;
    if (note.length > ALLOCATION_LIMITS.maxNoteLength) {
      const detail = `must have at most ${ALLOCATION_LIMITS.maxNoteLength} characters`;
      throw new NonceError('NONCE_VALIDATION', { errors: [{ pointer: '/note', detail }] });
    }
    return (await this.parts.manager.keepReserved(this.refOf(ref), { note, ttlMs })).allocation;
  }

  async heartbeat(ref: NonceRef, beat: { ttlMs?: number } = {}): Promise<Allocation> {
    const { ttlMs = this.parts.settings.ttlMs } = beat;
    return (await this.parts.manager.heartbeat(this.refOf(ref), { ttlMs })).allocation;
  }

  inspect(submitter: SubmitterInput): Promise<SubmitterView> {
    return this.parts.manager.inspect(this.submitter(submitter));
  }

  /** The context of the handler whose code is running now, for wrapped clients. */
  get currentContext(): NonceContext | undefined {
    return this.parts.template.current.context;
  }

  /** Reads signed bytes, for wrapped clients. */
  get transactions(): SignedTransactions {
    return this.parts.transactions;
  }

  private submitter(input: SubmitterInput): Submitter {
    return parseSubmitter(input, this.parts.defaultChainId);
  }

  private refOf(ref: NonceRef): AllocationRef {
    if ('id' in ref) return ref;
    return this.parts.template.held.find(this.submitter(ref.submitter), toNonce(ref.nonce));
  }
}
