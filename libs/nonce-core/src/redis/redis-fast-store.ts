import { NonceError } from '../domain/errors/nonce-error';
import type { Submitter } from '../domain/submitter';
import type {
  FastAllocateAnswer,
  FastAllocateRow,
  FastOpening,
  FastRefill,
  FastRefillBehind,
  FastSettleAnswer,
  FastSettleRow,
  FastStatus,
  FastStore,
  FastView,
  Incarnation,
} from '../ports/fast-store.port';
import { allocateAnswer, allocateArguments } from './fast-allocate-reply';
import { byShard, callFor, type ShardBatch, type ViewGroup } from './fast-batches';
import { unreadable } from './fast-grant-reply';
import type { FastKeys } from './fast-keys';
import { openArguments, refillArguments } from './fast-opening-arguments';
import { settleAnswer, settleArguments, type SettleQuestion } from './fast-settle-reply';
import { fastStoreError } from './fast-store-error';
import { LUA, type LuaScript } from './generated/lua';
import type { RedisClient } from './redis-client';
import type { RedisReply } from './redis-commands';
import { runFastScript, type ScriptCall } from './run-fast-script';

interface FastStoreOptions {
  /** Events of a shard that may wait for Postgres before new grants are refused; 0 = no limit. */
  readonly maxWaitingEvents: number;
}

/** About 100 MB per shard at 500 bytes an event: far more than a working flush leaves behind. */
const FAST_STORE_DEFAULTS: FastStoreOptions = { maxWaitingEvents: 200_000 };

const SCRIPTS = {
  allocate: LUA.fastAllocate,
  settle: LUA.fastSettle,
  open: LUA.fastOpen,
  refill: LUA.fastRefill,
  retire: LUA.fastRetire,
  reclaim: LUA.fastReclaim,
  status: LUA.fastStatus,
  incarnation: LUA.fastIncarnation,
} as const;

export type FastScripts = Readonly<Record<keyof typeof SCRIPTS, LuaScript>>;

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
  private readonly scripts: FastScripts;

  constructor(
    private readonly client: RedisClient,
    private readonly keys: FastKeys,
    options: Partial<FastStoreOptions> = {},
    scripts: Partial<FastScripts> = {},
  ) {
    this.options = Object.freeze({ ...FAST_STORE_DEFAULTS, ...options });
    this.scripts = { ...SCRIPTS, ...scripts };
  }

  shardOf(submitter: Submitter): number {
    return this.keys.shardOf(submitter);
  }

  async incarnationOf(submitter: Submitter): Promise<Incarnation> {
    const keys = [this.keys.mode(this.shardOf(submitter))];
    return String(await this.runOne('incarnation', { keys, args: [] }));
  }

  async allocate(
    rows: readonly FastAllocateRow[],
  ): Promise<readonly (FastAllocateAnswer | Error)[]> {
    return this.ask('allocate', rows, {
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
    return this.ask('open', apart(openings), {
      head: [],
      push: ({ rows }, args) => rows.forEach((row) => openArguments(row, args)),
      answer: (_, reply) => (Number(reply) === 1 ? 'opened' : 'refused'),
    });
  }

  async refill(
    refills: readonly FastRefill[],
  ): Promise<readonly ('refilled' | 'refused' | FastRefillBehind | Error)[]> {
    return this.ask('refill', apart(refills), {
      head: [],
      push: ({ rows }, args) => rows.forEach((row) => refillArguments(row, args)),
      answer: (_, reply) => refillAnswer(reply),
    });
  }

  async retire(view: FastView, idleMs: number): Promise<{ readonly next: number } | null> {
    const args = [view.epoch, view.incarnation, idleMs];
    const submitters = [view.submitter];
    const call = callFor(this.keys, this.shardOf(view.submitter), { submitters, args });
    const next = Number(await this.runOne('retire', call));
    return next < 0 ? null : { next };
  }

  async reclaim(views: readonly FastView[], limit: number): Promise<number> {
    const rows = apart(views.map((view) => ({ view })));
    const calls = byShard(this.keys, rows).map((batch) =>
      this.callOf(batch, [limit], ({ view }, args) => {
        args.push(view.submitter, view.epoch, view.incarnation);
      }),
    );
    const replies = await this.run('reclaim', calls);
    return replies.reduce((total, reply) => total + Number(valueOf(reply)), 0);
  }

  async status(shards: readonly number[]): Promise<readonly FastStatus[]> {
    const calls = shards.map((shard) => ({ keys: [this.keys.events(shard)], args: [] }));
    const replies = await this.run('status', calls);
    return shards.map((shard, i) => {
      const [length, ageMs] = valueOf(replies[i]) as readonly unknown[];
      const oldestEventAgeMs = Number(ageMs) < 0 ? null : Number(ageMs);
      return { shard, streamLength: Number(length), oldestEventAgeMs };
    });
  }

  private settleOrLook(
    rows: readonly SettleQuestion[],
  ): Promise<readonly (FastSettleAnswer | Error)[]> {
    return this.ask('settle', rows, {
      head: [],
      push: settleArguments,
      answer: (_, reply) => settleAnswer(reply),
    });
  }

  /** One script run per shard; a shard that fails answers each of its rows with its error. */
  private async ask<Row extends { readonly view: FastView }, Answer>(
    script: keyof FastScripts,
    rows: readonly Row[],
    { head, push, answer }: Question<Row, Answer>,
  ): Promise<readonly (Answer | Error)[]> {
    const batches = byShard(this.keys, rows);
    const calls = batches.map((batch) => this.callOf(batch, head, push));
    const replies = await this.run(script, calls);
    const answers = new Array<Answer | Error>(rows.length);
    batches.forEach((batch, i) => {
      const told = answersOf(batch, replies[i], answer);
      batch.groups
        .flatMap(({ positions }) => positions)
        .forEach((position, j) => (answers[position] = told[j] ?? unreadable(null)));
    });
    return answers;
  }

  private callOf<Row extends { readonly view: FastView }>(
    { shard, groups }: ShardBatch<Row>,
    head: readonly number[],
    push: (group: ViewGroup<Row>, args: (string | number)[]) => void,
  ): ScriptCall {
    const args: (string | number)[] = [...head, groups.length];
    for (const group of groups) push(group, args);
    const submitters = groups.map(({ view }) => view.submitter);
    return callFor(this.keys, shard, { submitters, args });
  }

  private async runOne(script: keyof FastScripts, call: ScriptCall): Promise<unknown> {
    return valueOf((await this.run(script, [call]))[0]);
  }

  private run(
    script: keyof FastScripts,
    calls: readonly ScriptCall[],
  ): Promise<readonly RedisReply[]> {
    return runFastScript(this.client, this.scripts[script], calls);
  }
}

/** A group of its own for each row. */
function apart<Row extends { readonly view: FastView }>(rows: readonly Row[]): readonly Row[] {
  return rows.map((row) => ({ ...row, view: { ...row.view } }));
}

interface Question<Row, Answer> {
  readonly head: readonly number[];
  readonly push: (group: ViewGroup<Row>, args: (string | number)[]) => void;
  readonly answer: (row: Row, reply: unknown) => Answer;
}

function refillAnswer(reply: unknown): 'refilled' | 'refused' | FastRefillBehind {
  if (Array.isArray(reply)) return { kind: 'behind', loan: Number(reply[0]) };
  return Number(reply) === 1 ? 'refilled' : 'refused';
}

function answersOf<Row, Answer>(
  { groups }: ShardBatch<Row>,
  reply: RedisReply | undefined,
  answer: (row: Row, reply: unknown) => Answer,
): readonly (Answer | Error)[] {
  const rows = groups.flatMap((group) => group.rows);
  try {
    const values = valueOf(reply) as readonly unknown[];
    return rows.map((row, i) => answer(row, values[i]));
  } catch (error) {
    const failure = error instanceof Error ? error : new NonceError('NONCE_INTERNAL');
    return rows.map(() => failure);
  }
}

function valueOf(reply: RedisReply | undefined): unknown {
  if (reply === undefined) throw unreadable(null);
  if (!reply.ok) throw fastStoreError(reply.error);
  return reply.value;
}
