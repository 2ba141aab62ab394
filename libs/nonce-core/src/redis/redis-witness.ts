import type { Epoch } from '../domain/epoch';
import type { Submitter } from '../domain/submitter';
import {
  WitnessBook,
  type ServerStart,
  type Witness,
  type WitnessedFacts,
} from '../domain/witness';
import type { WitnessStore } from '../ports/witness.port';
import { LUA } from './generated/lua';
import type { RedisClient } from './redis-client';
import { runScript, sendAll, type RedisReply } from './redis-commands';

export interface RedisWitnessOptions {
  readonly keyPrefix: string;
  readonly shards: number;
  /** The same as the fast store's, so that a witness lives and dies with what it vouches for. */
  readonly shardOf: (submitter: Submitter) => number;
}

const SERVER_FIELD = '@server';
/** Arguments of one script run: far below what would hold up the server's other callers. */
const WITNESSES_PER_RUN = 1_000;

/**
 * Witnesses in Redis, one hash per shard: shared by all nodes of all hosts. As durable as that
 * Redis: a flushed one answers as if nothing was ever kept, and says so at the next `keep`.
 */
export class RedisWitness implements WitnessStore {
  readonly name = 'redis';

  constructor(
    private readonly client: RedisClient,
    private readonly options: RedisWitnessOptions,
  ) {}

  /** Without witnesses the run of the database is written to every shard. */
  async keep(server: ServerStart, witnesses: readonly Witness[]): Promise<'kept' | 'forgetful'> {
    const calls = this.callsOf(server, witnesses);
    const replies = await runScript(this.client, LUA.keepWitness, calls);
    const answers = replies.map(valueOf);
    return answers.every((known) => known === 1) ? 'kept' : 'forgetful';
  }

  async read(): Promise<WitnessedFacts | null> {
    const replies = await sendAll(
      this.client,
      this.shards().map((shard) => ['HGETALL', this.key(shard)] as const),
    );
    const book = new WitnessBook();
    for (const reply of replies) {
      // A part of the shards says nothing about the others.
      if (!reply.ok) return null;
      for (const [field, text] of pairsOf(reply.value)) this.readField(book, field, text);
    }
    return { server: book.server, witnesses: book.all() };
  }

  private callsOf(
    server: ServerStart,
    witnesses: readonly Witness[],
  ): { key: string; args: (string | number)[] }[] {
    const head = [JSON.stringify(server), server.startedAt, server.lsn];
    if (witnesses.length === 0) {
      return this.shards().map((shard) => ({ key: this.key(shard), args: [...head] }));
    }
    const calls: { key: string; args: (string | number)[] }[] = [];
    for (const [shard, group] of this.byShard(witnesses)) {
      for (let from = 0; from < group.length; from += WITNESSES_PER_RUN) {
        const some = group.slice(from, from + WITNESSES_PER_RUN);
        const facts = some.flatMap(({ submitter, epoch, ceiling }) => [submitter, epoch, ceiling]);
        calls.push({ key: this.key(shard), args: [...head, ...facts] });
      }
    }
    return calls;
  }

  private byShard(witnesses: readonly Witness[]): Map<number, Witness[]> {
    const groups = new Map<number, Witness[]>();
    for (const witness of witnesses) {
      const shard = this.options.shardOf(witness.submitter);
      const group = groups.get(shard);
      if (group === undefined) groups.set(shard, [witness]);
      else group.push(witness);
    }
    return groups;
  }

  private readField(book: WitnessBook, field: string, text: string): void {
    if (field === SERVER_FIELD) {
      book.see(JSON.parse(text) as ServerStart);
      return;
    }
    const [epoch, ceiling] = text.split(':').map(Number);
    if (epoch === undefined || ceiling === undefined) return;
    book.raise({ submitter: field as Submitter, epoch: epoch as Epoch, ceiling });
  }

  private shards(): number[] {
    return Array.from({ length: this.options.shards }, (_, shard) => shard);
  }

  private key(shard: number): string {
    return `${this.options.keyPrefix}:{${String(shard)}}:witness`;
  }
}

function valueOf(reply: RedisReply): unknown {
  if (!reply.ok) throw reply.error;
  return reply.value;
}

/** HGETALL by `call`: a flat list, or a map where the client speaks RESP3. */
function pairsOf(value: unknown): readonly (readonly [string, string])[] {
  if (!Array.isArray(value)) {
    return Object.entries(value as Readonly<Record<string, string>>);
  }
  const flat = value as readonly string[];
  return flat.flatMap((field, i) =>
    i % 2 === 0 ? [[field, flat[i + 1] ?? ''] as readonly [string, string]] : [],
  );
}
