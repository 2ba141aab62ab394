import { AsyncLocalStorage } from 'node:async_hooks';
import type { NonceContext } from './nonce-context';

/** The context of the handler whose code is running, for clients that cannot be handed it. */
export class CurrentHandler {
  private readonly storage = new AsyncLocalStorage<NonceContext>();

  run<T>(context: NonceContext, handler: () => Promise<T>): Promise<T> {
    return this.storage.run(context, handler);
  }

  get context(): NonceContext | undefined {
    return this.storage.getStore();
  }
}
