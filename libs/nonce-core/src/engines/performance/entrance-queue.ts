import type { Nonce } from '../../domain/nonce';
import type { Submitter } from '../../domain/submitter';
import type { FastView } from '../../ports/fast-store.port';

/** A submitter that waits for a usable epoch, for everybody who asked meanwhile. */
export class Entry {
  /** Callers that wait; the most wanted submitters go first. */
  callers = 0;
  tries = 0;
  resolve!: (view: FastView) => void;
  reject!: (error: unknown) => void;
  readonly entered: Promise<FastView>;

  constructor(
    readonly submitter: Submitter,
    readonly startNonce: Nonce | undefined,
  ) {
    this.entered = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

/** Submitters that wait for their turn, those with the most callers first. */
export class EntranceQueue {
  private readonly waiting: Entry[] = [];

  add(entry: Entry): void {
    this.waiting.push(entry);
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  /** Sorted at each take: counts have grown meanwhile, but the order is nearly the last one. */
  take(max: number): Entry[] {
    this.waiting.sort((left, right) => left.callers - right.callers);
    return this.waiting.splice(-max).reverse();
  }

  clear(): Entry[] {
    return this.waiting.splice(0);
  }
}
