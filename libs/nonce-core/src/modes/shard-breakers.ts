import { NonceError } from '../domain/errors/nonce-error';
import type { Clock } from '../ports/clock.port';
import { Breaker, type BreakerSettings } from './breaker';

export interface ShardBreakersDeps {
  /** A script that writes and reads in one shard. Rejects when it does not answer. */
  readonly canary: (shard: number) => Promise<unknown>;
  readonly clock: Clock;
}

export interface ShardBreakersSettings extends BreakerSettings {
  readonly shards: number;
}

interface Waiter {
  readonly shards: ReadonlySet<number>;
  readonly refuse: () => void;
}

/** A store in the same network answers a canary in a hundredth of it. */
const PROBE_MS = 100;
/** A lost connection is made anew in 50 ms: a break of that length is no failure of the store. */
const PROBE_AGAIN_MS = 25;

/**
 * One breaker per shard, and the looks that make up their mind. A failed call is followed by probes
 * at once, so that a silent store is known for what it is before its next timeouts. A breaker that
 * opens has every shard looked at: the silent ones open with it, and one that answers closes again;
 * so this process' own delays and short breaks of its connection open nothing for long.
 */
export class ShardBreakers {
  private readonly breakers: readonly Breaker[];
  private readonly doubted = new Set<number>();
  private readonly waiters = new Set<Waiter>();
  private readonly listeners: ((shards: readonly number[]) => void)[] = [];
  private looking: Promise<readonly number[]> | null = null;

  constructor(
    private readonly deps: ShardBreakersDeps,
    settings: ShardBreakersSettings,
  ) {
    this.breakers = Array.from({ length: settings.shards }, () => new Breaker(settings));
  }

  isOpen(shard: number): boolean {
    return this.breakers[shard]?.isOpen === true;
  }

  get open(): readonly number[] {
    return [...this.breakers.keys()].filter((shard) => this.isOpen(shard));
  }

  get all(): readonly number[] {
    return [...this.breakers.keys()];
  }

  /** Called with the shards that stay open after each look that leaves some so. */
  onOpen(listener: (shards: readonly number[]) => void): void {
    this.listeners.push(listener);
  }

  note(shard: number, succeeded: boolean): void {
    const breaker = this.breakers[shard];
    if (breaker === undefined) return;
    if (breaker.note(succeeded, this.deps.clock.monotonicMs())) {
      this.confirm();
    } else if (breaker.isInDoubt) {
      void this.probe(shard, breaker);
    }
  }

  /** The open ones; after the look that is on its way, if only failed calls speak against them yet. */
  confirmed(): Promise<readonly number[]> {
    const isProven = this.breakers.some((breaker) => breaker.isProven);
    return isProven || this.looking === null ? Promise.resolve(this.open) : this.looking;
  }

  /** Looks at every shard and opens or closes its breaker by what it finds. Returns the open ones. */
  look(): Promise<readonly number[]> {
    return this.lookOnce(() => false);
  }

  /** Rejects once all of these shards are open; `cancel` when that is of no interest any more. */
  untilOpen(shards: ReadonlySet<number>): { readonly opened: Promise<never>; cancel: () => void } {
    let cancel = (): void => undefined;
    const opened = new Promise<never>((_, reject) => {
      const waiter = {
        shards,
        refuse: () => {
          reject(refusalOf('unknown'));
        },
      };
      this.waiters.add(waiter);
      cancel = () => this.waiters.delete(waiter);
    });
    return { opened, cancel };
  }

  /** A breaker has opened: those of silent shards follow it, and a hasty one closes again. */
  private confirm(): void {
    this.wake();
    void this.lookOnce((breaker) => breaker.isMostlyFailing);
  }

  private lookOnce(staysOpen: (breaker: Breaker) => boolean): Promise<readonly number[]> {
    this.looking ??= this.lookAtAll(staysOpen).finally(() => {
      this.looking = null;
    });
    return this.looking;
  }

  private async lookAtAll(staysOpen: (breaker: Breaker) => boolean): Promise<readonly number[]> {
    await Promise.all(
      this.breakers.map(async (breaker, shard) => {
        if (!(await this.answers(shard))) breaker.trip();
        else if (!staysOpen(breaker)) breaker.close();
      }),
    );
    this.wake();
    return this.tell();
  }

  private tell(): readonly number[] {
    const { open } = this;
    if (open.length > 0) for (const listener of this.listeners) listener(open);
    return open;
  }

  /** Until it is known: either it answers, or its breaker opens. */
  private async probe(shard: number, breaker: Breaker): Promise<void> {
    if (this.doubted.has(shard)) return;
    this.doubted.add(shard);
    try {
      while (breaker.isInDoubt) {
        if (!breaker.probed(await this.answers(shard))) continue;
        this.confirm();
        this.tell();
      }
    } finally {
      this.doubted.delete(shard);
    }
  }

  private async answers(shard: number): Promise<boolean> {
    const { clock } = this.deps;
    const endMs = clock.monotonicMs() + PROBE_MS;
    for (;;) {
      if (await this.answersWithin(shard, endMs - clock.monotonicMs())) return true;
      const leftMs = endMs - clock.monotonicMs();
      if (leftMs <= 0) return false;
      await clock.sleep(Math.min(PROBE_AGAIN_MS, leftMs));
    }
  }

  private async answersWithin(shard: number, ms: number): Promise<boolean> {
    const patience = new AbortController();
    const late = this.deps.clock
      .sleep(ms, patience.signal)
      // An answer that lies in the socket of a busy process is read before it counts as late.
      .then(() => new Promise<boolean>((resolve) => setImmediate(resolve, false)));
    const answer = this.deps.canary(shard).then(
      () => true,
      () => false,
    );
    try {
      return await Promise.race([answer, late]);
    } finally {
      patience.abort();
    }
  }

  private wake(): void {
    for (const waiter of this.waiters) {
      if ([...waiter.shards].every((shard) => this.isOpen(shard))) waiter.refuse();
    }
  }
}

/** `written`: `no` when the call never left. */
export function refusalOf(written: 'no' | 'unknown'): NonceError {
  return new NonceError('NONCE_STORE_UNAVAILABLE', {
    context: { store: 'redis', written, reason: 'Redis failed several times and is not asked' },
  });
}
