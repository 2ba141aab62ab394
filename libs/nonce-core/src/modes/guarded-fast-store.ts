import { isNonceError } from '../domain/errors/nonce-error';
import type { Submitter } from '../domain/submitter';
import type {
  FastStatus,
  FastStore,
  FastView,
  Incarnation,
  ModeMark,
} from '../ports/fast-store.port';
import { refusalOf, type ShardBreakers } from './shard-breakers';

interface OfView {
  readonly view: FastView;
}

/**
 * The same fast store behind a breaker per shard: while one is open its calls are refused at once,
 * and calls on their way are given up, as after a timeout. Rows of other shards are served.
 */
export class GuardedFastStore implements FastStore {
  constructor(
    private readonly store: FastStore,
    private readonly breakers: ShardBreakers,
  ) {}

  shardOf(submitter: Submitter): number {
    return this.store.shardOf(submitter);
  }

  async incarnationOf(submitter: Submitter): Promise<Incarnation> {
    return this.one(submitter, () => this.store.incarnationOf(submitter));
  }

  allocate(rows: Parameters<FastStore['allocate']>[0]): ReturnType<FastStore['allocate']> {
    return this.many(rows, (allowed) => this.store.allocate(allowed));
  }

  settle(rows: Parameters<FastStore['settle']>[0]): ReturnType<FastStore['settle']> {
    return this.many(rows, (allowed) => this.store.settle(allowed));
  }

  look(rows: Parameters<FastStore['look']>[0]): ReturnType<FastStore['look']> {
    return this.many(rows, (allowed) => this.store.look(allowed));
  }

  open(rows: Parameters<FastStore['open']>[0]): ReturnType<FastStore['open']> {
    return this.many(rows, (allowed) => this.store.open(allowed));
  }

  refill(rows: Parameters<FastStore['refill']>[0]): ReturnType<FastStore['refill']> {
    return this.many(rows, (allowed) => this.store.refill(allowed));
  }

  handOver(views: readonly FastView[]): ReturnType<FastStore['handOver']> {
    const rows = views.map((view) => ({ view }));
    return this.many(rows, (allowed) => this.store.handOver(allowed.map(({ view }) => view)));
  }

  retire(view: FastView, idleMs: number): Promise<{ readonly next: number } | null> {
    return this.one(view.submitter, () => this.store.retire(view, idleMs));
  }

  forget(views: readonly FastView[]): Promise<void> {
    return this.store.forget(this.allowed(views));
  }

  reclaim(views: readonly FastView[], limit: number): Promise<number> {
    const allowed = this.allowed(views);
    return allowed.length === 0 ? Promise.resolve(0) : this.store.reclaim(allowed, limit);
  }

  raiseMode(mark: ModeMark, shards: readonly number[]): Promise<readonly number[]> {
    const allowed = shards.filter((shard) => !this.breakers.isOpen(shard));
    return allowed.length === 0 ? Promise.resolve([]) : this.store.raiseMode(mark, allowed);
  }

  /** Not refused: it is what closes breakers. */
  canary(shards: readonly number[]): Promise<void> {
    return this.store.canary(shards);
  }

  async status(shards: readonly number[]): Promise<readonly FastStatus[]> {
    if (shards.some((shard) => this.breakers.isOpen(shard))) throw refusalOf('no');
    return this.store.status(shards);
  }

  private allowed(views: readonly FastView[]): readonly FastView[] {
    return views.filter(({ submitter }) => !this.breakers.isOpen(this.shardOf(submitter)));
  }

  private async one<Answer>(submitter: Submitter, call: () => Promise<Answer>): Promise<Answer> {
    const shard = this.shardOf(submitter);
    if (this.breakers.isOpen(shard)) throw refusalOf('no');
    try {
      const answer = await this.unlessOpened(new Set([shard]), call);
      this.breakers.note(shard, true);
      return answer;
    } catch (error) {
      if (isOutage(error)) this.breakers.note(shard, false);
      throw error;
    }
  }

  private async many<Row extends OfView, Answer>(
    rows: readonly Row[],
    call: (rows: readonly Row[]) => Promise<readonly (Answer | Error)[]>,
  ): Promise<readonly (Answer | Error)[]> {
    const shards = rows.map(({ view }) => this.shardOf(view.submitter));
    if (!shards.some((shard) => this.breakers.isOpen(shard))) return this.asked(rows, shards, call);
    const open = shards.map((shard) => this.breakers.isOpen(shard));
    const allowed = rows.filter((_, i) => open[i] === false);
    const theirs = shards.filter((_, i) => open[i] === false);
    const answers = allowed.length === 0 ? [] : await this.asked(allowed, theirs, call);
    let next = 0;
    return rows.map((_, i) => (open[i] === true ? refusalOf('no') : answers[next++]) as Answer);
  }

  private async asked<Row, Answer>(
    rows: readonly Row[],
    shards: readonly number[],
    call: (rows: readonly Row[]) => Promise<readonly (Answer | Error)[]>,
  ): Promise<readonly (Answer | Error)[]> {
    let answers: readonly (Answer | Error)[];
    try {
      answers = await this.unlessOpened(new Set(shards), () => call(rows));
    } catch (error) {
      if (!isOutage(error)) throw error;
      answers = rows.map(() => error);
    }
    const succeeded = new Map<number, boolean>();
    shards.forEach((shard, i) => {
      succeeded.set(shard, !isOutage(answers[i]) && succeeded.get(shard) !== false);
    });
    for (const [shard, did] of succeeded) this.breakers.note(shard, did);
    return answers;
  }

  private async unlessOpened<Answer>(
    shards: ReadonlySet<number>,
    call: () => Promise<Answer>,
  ): Promise<Answer> {
    const { opened, cancel } = this.breakers.untilOpen(shards);
    try {
      return await Promise.race([call(), opened]);
    } finally {
      cancel();
    }
  }
}

/** The store did not answer, or refuses everything now: nothing that the call itself can help. */
function isOutage(error: unknown): error is Error {
  return isNonceError(error, 'NONCE_STORE_UNAVAILABLE');
}
