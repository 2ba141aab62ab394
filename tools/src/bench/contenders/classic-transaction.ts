import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';

const TABLES = `
  CREATE TABLE counter (submitter text PRIMARY KEY, next bigint NOT NULL);
  CREATE TABLE reservation (
    submitter text NOT NULL, nonce bigint NOT NULL, id uuid NOT NULL, created_at timestamptz NOT NULL,
    PRIMARY KEY (submitter, nonce));`;

/** What most programs write first: one transaction for each nonce, the counter's row locked across it. */
export class ClassicTransaction {
  private readonly pool: Pool;

  constructor(databaseUrl: string) {
    this.pool = new Pool({ connectionString: databaseUrl, max: 10 });
  }

  async prepare(submitters: readonly string[]): Promise<void> {
    await this.pool.query(TABLES);
    await this.pool.query(
      'INSERT INTO counter SELECT submitter, 0 FROM unnest($1::text[]) submitter',
      [submitters],
    );
  }

  async allocate(submitter: string): Promise<number> {
    const client = await this.pool.connect();
    try {
      await client.query('BEGIN');
      const { rows } = await client.query<{ next: string }>({
        name: 'classic_lock',
        text: 'SELECT next FROM counter WHERE submitter = $1 FOR UPDATE',
        values: [submitter],
      });
      const nonce = Number(rows[0]?.next);
      await client.query({
        name: 'classic_count',
        text: 'UPDATE counter SET next = next + 1 WHERE submitter = $1',
        values: [submitter],
      });
      await client.query({
        name: 'classic_record',
        text: 'INSERT INTO reservation VALUES ($1, $2, $3, now())',
        values: [submitter, nonce, randomUUID()],
      });
      await client.query('COMMIT');
      client.release();
      return nonce;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}
