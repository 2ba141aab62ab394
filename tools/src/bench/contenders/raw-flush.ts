import type { Redis } from 'ioredis';
import { Pool } from 'pg';
import { SCHEMA } from '../bench-stores';

const GROUP = 'raw';

const COLUMNS = ['submitter', 'nonce', 'id', 'epoch', 'generation', 'granted', 'deadline'] as const;

/** A table of the same columns with the same key, and nothing that guards it. */
const TABLE = `CREATE TABLE IF NOT EXISTS ${SCHEMA}.raw_flush (
  submitter text COLLATE "C" NOT NULL, chain_generation integer NOT NULL, nonce bigint NOT NULL,
  id uuid NOT NULL UNIQUE, stage text NOT NULL, source text NOT NULL, exposure text NOT NULL,
  engine text NOT NULL, epoch bigint NOT NULL, generation integer NOT NULL, rank integer NOT NULL,
  deadline timestamptz, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
  PRIMARY KEY (submitter, chain_generation, nonce))`;

const UPSERT = `INSERT INTO ${SCHEMA}.raw_flush AS r
  SELECT u.submitter, 1, u.nonce, u.id, 'GRANTED', 'fresh', 'declared', 'performance', u.epoch,
    u.generation, 1, to_timestamp(u.deadline / 1000.0), to_timestamp(u.granted / 1000.0), now()
  FROM unnest($1::text[], $2::bigint[], $3::uuid[], $4::bigint[], $5::integer[], $6::bigint[],
    $7::bigint[]) AS u (submitter, nonce, id, epoch, generation, granted, deadline)
  ON CONFLICT (submitter, chain_generation, nonce) DO UPDATE
  SET id = excluded.id, epoch = excluded.epoch, generation = excluded.generation
  WHERE (excluded.epoch, excluded.generation) > (r.epoch, r.generation)`;

type Entry = readonly [id: string, fields: readonly string[]];

/** Drains a stream into an `unnest` upsert: the least that a flush can do. */
export class RawFlush {
  private readonly pool: Pool;

  constructor(
    private readonly redis: Redis,
    databaseUrl: string,
    private readonly batchMax: number,
  ) {
    this.pool = new Pool({ connectionString: databaseUrl, max: 4 });
  }

  async prepare(): Promise<void> {
    await this.pool.query(TABLE);
  }

  /** Reads these streams from their first entry that is left. */
  async join(streams: readonly string[]): Promise<void> {
    for (const stream of streams) {
      await this.redis.xgroup('DESTROY', stream, GROUP);
      await this.redis.xgroup('CREATE', stream, GROUP, '0');
    }
  }

  /** Until every stream is empty. Returns how many entries were written. */
  async drain(consumer: string, streams: readonly string[]): Promise<number> {
    let written = 0;
    for (const stream of streams) {
      for (let taken = await this.batch(consumer, stream); taken > 0;) {
        written += taken;
        taken = await this.batch(consumer, stream);
      }
    }
    return written;
  }

  close(): Promise<void> {
    return this.pool.end();
  }

  private async batch(consumer: string, stream: string): Promise<number> {
    const reply = (await this.redis.xreadgroup(
      'GROUP',
      GROUP,
      consumer,
      'COUNT',
      this.batchMax,
      'STREAMS',
      stream,
      '>',
    )) as readonly [string, readonly Entry[]][] | null;
    const entries = reply?.[0]?.[1] ?? [];
    if (entries.length === 0) return 0;
    const rows = entries.map(([, fields]) => rowOf(fields));
    const columns = COLUMNS.map((column) => rows.map((row) => row[column]));
    await this.pool.query({ name: 'raw_flush', text: UPSERT, values: columns });
    const ids = entries.map(([id]) => id);
    await this.redis
      .pipeline()
      .xack(stream, GROUP, ...ids)
      .xdel(stream, ...ids)
      .exec();
    return entries.length;
  }
}

/** As the scripts write it: what every event has stands in one field, in this order. */
function rowOf(fields: readonly string[]): Record<(typeof COLUMNS)[number], unknown> {
  const parts = (field(fields, 'v') ?? '').split(' ');
  const [epoch, generation, , , id, granted, lifetime] = parts;
  const named = { submitter: field(fields, 's'), nonce: field(fields, 'n') };
  const deadline = Number(granted) + Number(lifetime);
  return { ...named, id, epoch, generation, granted, deadline };
}

function field(fields: readonly string[], name: string): string | undefined {
  return fields[fields.indexOf(name) + 1];
}
