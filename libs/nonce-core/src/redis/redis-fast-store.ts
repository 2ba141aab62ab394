import type { Submitter } from '../domain/submitter';
import type { FastRefillBehind } from '../ports/fast-range.port';
import type {
  FastAllocateAnswer,
  FastAllocateRow,
  FastOpening,
  FastRefill,
  FastSettleAnswer,
  FastSettleRow,
  FastStatus,
  FastStore,
  FastView,
  HandedOver,
  Incarnation,
  ModeMark,
} from '../ports/fast-store.port';
import { allocateAnswer, allocateArguments } from './fast-allocate-reply';
import { callFor } from './fast-batches';
import type { FastKeys } from './fast-keys';
import { openArguments, refillArguments } from './fast-opening-arguments';
import { apart, FastScriptRuns, valueOf } from './fast-script-runs';
import { FAST_SCRIPTS, type FastScripts } from './fast-scripts';
import { settleAnswer, settleArguments, type SettleQuestion } from './fast-settle-reply';
import { handOverInPages } from './hand-over-in-pages';
import type { RedisClient } from './redis-client';

interface FastStoreOptions {
  /** Events of a shard that may wait for Postgres before new grants are refused; 0 = no limit. */
  readonly maxWaitingEvents: number;
}

/** About 100 MB per shard at 500 bytes an event: far more than a working flush leaves behind. */
const FAST_STORE_DEFAULTS: FastStoreOptions = { maxWaitingEvents: 200_000 };

/**
 * The fast store on Redis: one script run per shard and call, all shards in one round trip.
 *
 * Guaranteed: what a script promises (its header); every command is sent at most once, so an opening
 * is too. Not guaranteed: that Redis remembers. A script notices another incarnation, an older state
 * and a key that is gone, and answers `stale`; nothing is repaired here.
 * Give it a connection of `duplicateForFastStore`: any other may send a script twice.
 */
export class RedisFastStore implements FastStore {
  private readonly options: FastStoreOptions;
  private readonly runs: FastScriptRuns;

  constructor(
    client: RedisClient,
    private readonly keys: FastKeys,
    options: Partial<FastStoreOptions> = {},
    scripts: Partial<FastScripts> = {},
  ) {
    this.options = Object.freeze({ ...FAST_STORE_DEFAULTS, ...options });
    this.runs = new FastScriptRuns(client, keys, { ...FAST_SCRIPTS, ...scripts });
  }

  shardOf(submitter: Submitter): number {
    return this.keys.shardOf(submitter);
  }

  async incarnationOf(submitter: Submitter): Promise<Incarnation> {
    const keys = [this.keys.mode(this.shardOf(submitter))];
    return String(await this.runs.one('incarnation', { keys, args: [] }));
  }

  async allocate(
    rows: readonly FastAllocateRow[],
  ): Promise<readonly (FastAllocateAnswer | Error)[]> {
    return this.runs.ask('allocate', rows, {
      head: [this.options.maxWaitingEvents],
      push: allocateArguments,
      answer: allocateAnswer,
    });
  }

  async settle(rows: readonly FastSettleRow[]): Promise<readonly (FastSettleAnswer | Error)[]> {
    return this.settleOrLook(rows);
  }

  async look(
    rows: readonly Pick<FastSettleRow, 'view' | 'id' | 'nonce'>[],
  ): Promise<readonly (FastSettleAnswer | Error)[]> {
    return this.settleOrLook(rows.map((row) => ({ ...row, word: 'look' as const })));
  }

  async open(openings: readonly FastOpening[]): Promise<readonly ('opened' | 'refused' | Error)[]> {
    return this.runs.ask('open', apart(openings), {
      head: [],
      push: ({ rows }, args) => rows.forEach((row) => openArguments(row, args)),
      answer: (_, reply) => (Number(reply) === 1 ? 'opened' : 'refused'),
    });
  }

  async refill(
    refills: readonly FastRefill[],
  ): Promise<readonly ('refilled' | 'refused' | FastRefillBehind | Error)[]> {
    return this.runs.ask('refill', apart(refills), {
      head: [],
      push: ({ rows }, args) => rows.forEach((row) => refillArguments(row, args)),
      answer: (_, reply) => refillAnswer(reply),
    });
  }

  async retire(view: FastView, idleMs: number): Promise<{ readonly next: number } | null> {
    const args = [view.epoch, view.incarnation, idleMs];
    const submitters = [view.submitter];
    const call = callFor(this.keys, this.shardOf(view.submitter), { submitters, args });
    const next = Number(await this.runs.one('retire', call));
    return next < 0 ? null : { next };
  }

  async handOver(views: readonly FastView[]): Promise<readonly (HandedOver | null | Error)[]> {
    return handOverInPages(this.runs, views);
  }

  async forget(views: readonly FastView[]): Promise<void> {
    await this.runs.count('forget', apart(views.map((view) => ({ view }))), {
      head: [],
      push: ({ view }, args) => args.push(view.epoch),
    });
  }

  async raiseMode(mark: ModeMark, shards: readonly number[]): Promise<readonly number[]> {
    const args = [mark.epoch, mark.drain ? 1 : 0];
    const calls = shards.map((shard) => ({ keys: [this.keys.mode(shard)], args }));
    const replies = await this.runs.run('mode', calls);
    return shards.filter((_, i) => {
      const reply = replies[i];
      return reply?.ok === true && Number(reply.value) === 1;
    });
  }

  async canary(shards: readonly number[]): Promise<void> {
    const calls = shards.map((shard) => ({ keys: [this.keys.mode(shard)], args: ['alive'] }));
    const replies = await this.runs.run('canary', calls);
    replies.forEach(valueOf);
  }

  async reclaim(views: readonly FastView[], limit: number): Promise<number> {
    return this.runs.count('reclaim', apart(views.map((view) => ({ view }))), {
      head: [limit],
      push: ({ view }, args) => args.push(view.submitter, view.epoch, view.incarnation),
    });
  }

  async status(shards: readonly number[]): Promise<readonly FastStatus[]> {
    const calls = shards.map((shard) => ({ keys: [this.keys.events(shard)], args: [] }));
    const replies = await this.runs.run('status', calls);
    return shards.map((shard, i) => {
      const [length, ageMs] = valueOf(replies[i]) as readonly unknown[];
      const oldestEventAgeMs = Number(ageMs) < 0 ? null : Number(ageMs);
      return { shard, streamLength: Number(length), oldestEventAgeMs };
    });
  }

  private settleOrLook(
    rows: readonly SettleQuestion[],
  ): Promise<readonly (FastSettleAnswer | Error)[]> {
    return this.runs.ask('settle', rows, {
      head: [],
      push: settleArguments,
      answer: (_, reply) => settleAnswer(reply),
    });
  }
}

function refillAnswer(reply: unknown): 'refilled' | 'refused' | FastRefillBehind {
  if (Array.isArray(reply)) return { kind: 'behind', loan: Number(reply[0]) };
  return Number(reply) === 1 ? 'refilled' : 'refused';
}
