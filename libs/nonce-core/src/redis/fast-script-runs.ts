import { NonceError } from '../domain/errors/nonce-error';
import type { FastView } from '../ports/fast-store.port';
import { byShard, callFor, type ShardBatch, type ViewGroup } from './fast-batches';
import { unreadable } from './fast-grant-reply';
import type { FastKeys } from './fast-keys';
import type { FastScriptName, FastScripts } from './fast-scripts';
import { fastStoreError } from './fast-store-error';
import type { RedisClient } from './redis-client';
import type { RedisReply } from './redis-commands';
import { runFastScript, type ScriptCall } from './run-fast-script';

/** What a script is asked about rows, and how its replies are read. */
export interface Question<Row, Answer> {
  /** Arguments before the number of groups. */
  readonly head: readonly number[];
  readonly push: (group: ViewGroup<Row>, args: (string | number)[]) => void;
  readonly answer: (row: Row, reply: unknown) => Answer;
}

/** Runs the scripts of the fast store, each once per shard, all shards in one round trip. */
export class FastScriptRuns {
  constructor(
    private readonly client: RedisClient,
    private readonly keys: FastKeys,
    private readonly scripts: FastScripts,
  ) {}

  /** One script run per shard; a shard that fails answers each of its rows with its error. */
  async ask<Row extends { readonly view: FastView }, Answer>(
    script: FastScriptName,
    rows: readonly Row[],
    question: Question<Row, Answer>,
  ): Promise<readonly (Answer | Error)[]> {
    const batches = byShard(this.keys, rows);
    const replies = await this.run(script, this.callsOf(batches, question));
    const answers = new Array<Answer | Error>(rows.length);
    batches.forEach((batch, i) => {
      const told = answersOf(batch, replies[i], question.answer);
      batch.groups
        .flatMap(({ positions }) => positions)
        .forEach((position, j) => {
          const answer = told[j];
          answers[position] = answer === undefined ? unreadable(null) : answer;
        });
    });
    return answers;
  }

  /** The numbers that the runs of all shards answer, added up. @throws NonceError. */
  async count<Row extends { readonly view: FastView }>(
    script: FastScriptName,
    rows: readonly Row[],
    question: Pick<Question<Row, never>, 'head' | 'push'>,
  ): Promise<number> {
    const replies = await this.run(script, this.callsOf(byShard(this.keys, rows), question));
    return replies.reduce((total, reply) => total + Number(valueOf(reply)), 0);
  }

  /** @throws NonceError NONCE_STORE_UNAVAILABLE. */
  async one(script: FastScriptName, call: ScriptCall): Promise<unknown> {
    return valueOf((await this.run(script, [call]))[0]);
  }

  run(script: FastScriptName, calls: readonly ScriptCall[]): Promise<readonly RedisReply[]> {
    return runFastScript(this.client, this.scripts[script], calls);
  }

  private callsOf<Row extends { readonly view: FastView }>(
    batches: readonly ShardBatch<Row>[],
    { head, push }: Pick<Question<Row, never>, 'head' | 'push'>,
  ): readonly ScriptCall[] {
    return batches.map(({ shard, groups }) => {
      const args: (string | number)[] = [...head, groups.length];
      for (const group of groups) push(group, args);
      const submitters = groups.map(({ view }) => view.submitter);
      return callFor(this.keys, shard, { submitters, args });
    });
  }
}

/** A group of its own for each row. */
export function apart<Row extends { readonly view: FastView }>(
  rows: readonly Row[],
): readonly Row[] {
  return rows.map((row) => ({ ...row, view: { ...row.view } }));
}

/** @throws NonceError NONCE_STORE_UNAVAILABLE when it is a failure. */
export function valueOf(reply: RedisReply | undefined): unknown {
  if (reply === undefined) throw unreadable(null);
  if (!reply.ok) throw fastStoreError(reply.error);
  return reply.value;
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
