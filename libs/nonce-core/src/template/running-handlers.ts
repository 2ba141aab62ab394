import { NonceError } from '../domain/errors/nonce-error';
import type { Clock } from '../ports/clock.port';
import type { Holding } from './holding';
import type { NonceExecution, NonceWork } from './with-nonce';

/** Every withNonce call of one template: joins calls of one operation, and ends all at shutdown. */
export class RunningHandlers {
  private readonly calls = new Set<Promise<unknown>>();
  private readonly operations = new Map<string, Promise<NonceExecution<unknown>>>();
  private readonly holdings = new Set<Holding>();
  private readonly shutdown = new AbortController();

  constructor(private readonly clock: Clock) {}

  /** A second call of a running operation gets the first one's result. */
  once<T>(work: NonceWork, start: () => Promise<NonceExecution<T>>): Promise<NonceExecution<T>> {
    if (this.shutdown.signal.aborted) return Promise.reject(shuttingDown());
    if (work.operationId === undefined) return this.follow(start());
    const key = `${work.submitter}\n${work.operationId}`;
    const running = this.operations.get(key);
    if (running !== undefined) return running as Promise<NonceExecution<T>>;
    const call = this.follow(start());
    this.operations.set(key, call);
    const forget = () => this.operations.delete(key);
    call.then(forget, forget);
    return call;
  }

  add(holding: Holding): void {
    this.holdings.add(holding);
    if (this.shutdown.signal.aborted) holding.cancel(shuttingDown());
  }

  remove(holding: Holding): void {
    this.holdings.delete(holding);
  }

  /** Refuses new calls, tells running handlers, and waits for them; returns those still running. */
  async stop(deadlineMs: number): Promise<readonly Holding[]> {
    this.shutdown.abort();
    for (const holding of this.holdings) holding.cancel(shuttingDown());
    const timeout = new AbortController();
    const all = Promise.allSettled(this.calls);
    await Promise.race([all, this.clock.sleep(deadlineMs, timeout.signal)]);
    timeout.abort();
    return [...this.holdings];
  }

  private follow<T>(call: Promise<T>): Promise<T> {
    this.calls.add(call);
    const forget = () => this.calls.delete(call);
    call.then(forget, forget);
    return call;
  }
}

function shuttingDown(): NonceError {
  return new NonceError('NONCE_STORE_UNAVAILABLE', { message: 'this process is shutting down' });
}
