import { NonceError } from '../domain/errors/nonce-error';
import { BatchLanes, type BatchShape } from './batch-lanes';

/** One caller's request on its way to its answer. Only the first settling counts. */
export interface GatheredCall<Request, Answer> {
  readonly request: Request;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

export interface GatherLimits {
  /** Calls that may wait; more are refused with NONCE_BACKPRESSURE. */
  readonly maxWaiting: number;
  readonly batchesInFlight: number;
  /** How often a call may be put back; each return has a cause that should occur once. */
  readonly maxReturns?: number;
}

/**
 * Coalesces concurrent calls into batches: while a batch is in flight the next one gathers.
 *
 * A batch starts one event-loop turn after it could (setImmediate), because the callers answered by
 * the last batch ask again within that turn; a batch sent at once would alternate between 1 and
 * n - 1 calls. There is no timer: a lone caller waits for that turn and nothing else.
 *
 * Guaranteed: calls of one key run in the order they came; a refused call did nothing.
 * Not guaranteed: any order between keys.
 */
export class BatchGatherer<Request, Answer> {
  private readonly lanes: BatchLanes<Call<Request, Answer>>;
  private inFlight = 0;
  private turnPlanned = false;
  private stopping = false;
  /** Accepted calls that have no answer yet, waiting or in flight. */
  private open = 0;
  private onIdle: (() => void) | undefined;

  constructor(
    /** Settles every call of the batch, at once or later; resolves when the next may start. */
    private readonly run: (calls: readonly GatheredCall<Request, Answer>[]) => Promise<void>,
    private readonly limits: GatherLimits,
    private readonly shape: BatchShape<Request>,
  ) {
    this.lanes = new BatchLanes({
      ...shape,
      keyOf: (call) => shape.keyOf(call.request),
      weightOf: (call) => shape.weightOf(call.request),
    });
  }

  submit(request: Request): Promise<Answer> {
    if (this.stopping)
      return Promise.reject(refusal('This node is stopping; nothing was written.'));
    if (this.lanes.waiting >= this.limits.maxWaiting) {
      return Promise.reject(refusal(undefined, { maxWaiting: this.limits.maxWaiting }));
    }
    this.open += 1;
    return new Promise<Answer>((resolve, reject) => {
      this.lanes.add(new Call(request, { resolve, reject, settled: this.settled }));
      this.planTurn();
    });
  }

  /** Puts unanswered calls of one key back, first in line; accepted already, so no limit applies. */
  again(key: string, calls: readonly GatheredCall<Request, Answer>[]): void {
    const own = calls.filter((call) => call instanceof Call) as Call<Request, Answer>[];
    const maxReturns = this.limits.maxReturns ?? DEFAULT_MAX_RETURNS;
    const patient = own.filter((call) => call.mayReturn(maxReturns));
    this.lanes.addFirst(key, patient);
    this.planTurn();
  }

  /** Keeps the calls of a key waiting, until `release` is called as often. */
  hold(key: string): void {
    this.lanes.hold(key);
  }

  release(key: string): void {
    this.lanes.release(key);
    this.planTurn();
  }

  /** Refuses new calls, answers the accepted ones, and refuses what still waits at the deadline. */
  async stop(deadlineMs: number): Promise<void> {
    this.stopping = true;
    if (this.open === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.onIdle = resolve;
      timer = setTimeout(resolve, deadlineMs);
    });
    clearTimeout(timer);
    for (const call of this.lanes.clear()) {
      call.reject(refusal('This node stopped before the call was begun; nothing was written.'));
    }
  }

  private planTurn(): void {
    if (this.turnPlanned || this.inFlight >= this.limits.batchesInFlight) return;
    if (!this.lanes.hasReady) return;
    this.turnPlanned = true;
    setImmediate(this.turn);
  }

  private readonly turn = (): void => {
    this.turnPlanned = false;
    const calls = this.lanes.take();
    if (calls.length === 0) return;
    this.inFlight += 1;
    void this.fly(calls);
    this.planTurn();
  };

  private async fly(calls: readonly Call<Request, Answer>[]): Promise<void> {
    try {
      await this.run(calls);
    } catch (error) {
      for (const call of calls) call.reject(error);
    }
    this.inFlight -= 1;
    if (this.shape.oneFlightPerKey) {
      const keys = new Set(calls.map((call) => this.shape.keyOf(call.request)));
      for (const key of keys) this.lanes.release(key);
    }
    this.planTurn();
  }

  private readonly settled = (): void => {
    this.open -= 1;
    if (this.open === 0) this.onIdle?.();
  };
}

interface CallEnd<Answer> {
  resolve(answer: Answer): void;
  reject(error: unknown): void;
  settled(): void;
}

/** More means that the store contradicts itself. */
const DEFAULT_MAX_RETURNS = 5;

class Call<Request, Answer> implements GatheredCall<Request, Answer> {
  private done = false;
  private returns = 0;

  constructor(
    readonly request: Request,
    private readonly end: CallEnd<Answer>,
  ) {}

  /** False, and answered with an error, when the call came back too often. */
  mayReturn(maxReturns: number): boolean {
    this.returns += 1;
    if (this.returns > maxReturns) {
      this.reject(new NonceError('NONCE_INTERNAL', { context: { returns: this.returns } }));
    }
    return !this.done;
  }

  resolve(answer: Answer): void {
    if (this.done) return;
    this.done = true;
    this.end.resolve(answer);
    this.end.settled();
  }

  reject(error: unknown): void {
    if (this.done) return;
    this.done = true;
    this.end.reject(error);
    this.end.settled();
  }
}

function refusal(message?: string, context: Readonly<Record<string, unknown>> = {}): NonceError {
  return new NonceError('NONCE_BACKPRESSURE', {
    ...(message === undefined ? {} : { message }),
    context,
  });
}
