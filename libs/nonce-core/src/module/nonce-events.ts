import { EventEmitter } from 'node:events';
import type { EventSink, NonceEventMap, NonceEventName } from '../ports/events.port';
import type { Logger } from '../ports/logger.port';

/** May be async; what it returns is not used. */
export type NonceEventListener<Name extends NonceEventName> = (
  payload: NonceEventMap[Name],
) => unknown;

const ANY = Symbol('any event');

/**
 * What happened to nonces, in this process. Delivered after the fact is durable, at most once and
 * in the order of publication. A listener that throws is logged and disturbs nobody.
 */
export class NonceEvents implements EventSink {
  private readonly emitter = new EventEmitter().setMaxListeners(0);

  constructor(private readonly logger: Logger) {}

  /** Returns the function that ends the subscription. */
  on<Name extends NonceEventName>(name: Name, listener: NonceEventListener<Name>): () => void {
    const guarded = (payload: NonceEventMap[Name]) => {
      this.deliver(name, listener, payload);
    };
    this.emitter.on(name, guarded);
    return () => {
      this.emitter.off(name, guarded);
    };
  }

  /** Every event of any name. Returns the function that ends the subscription. */
  onAny(listener: (name: NonceEventName, payload: unknown) => void): () => void {
    const guarded = (name: NonceEventName, payload: unknown) => {
      try {
        listener(name, payload);
      } catch (error) {
        this.logger.error('a listener failed', { event: name, reason: String(error) });
      }
    };
    this.emitter.on(ANY, guarded);
    return () => {
      this.emitter.off(ANY, guarded);
    };
  }

  publish<Name extends NonceEventName>(name: Name, payload: NonceEventMap[Name]): void {
    this.emitter.emit(name, payload);
    this.emitter.emit(ANY, name, payload);
  }

  private deliver<Name extends NonceEventName>(
    name: Name,
    listener: NonceEventListener<Name>,
    payload: NonceEventMap[Name],
  ): void {
    const failed = (error: unknown) => {
      this.logger.error('a listener failed', { event: name, reason: String(error) });
    };
    try {
      const returned = listener(payload);
      if (returned instanceof Promise) returned.catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}
