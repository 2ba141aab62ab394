import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';

const TABLE = `
  CREATE TABLE managed_transaction (
    id uuid PRIMARY KEY, signer text NOT NULL, nonce bigint NOT NULL, status text NOT NULL,
    body text NOT NULL, created_at timestamptz NOT NULL);
  CREATE UNIQUE INDEX managed_transaction_nonce ON managed_transaction (signer, nonce);`;
const BODY = '0'.repeat(200);
/** FireFly's defaults: a batch starts when it is full, or this long after its first member came. */
const BATCH_MAX = 100;
const BATCH_TIMEOUT_MS = 10;

interface Waiting {
  readonly signer: string;
  resolve(nonce: number): void;
  reject(error: unknown): void;
}

/**
 * The way of FireFly's transaction manager: the next nonce lives in this process, and one writer
 * numbers what it has gathered and inserts it in one transaction. Safe only as the only process.
 */
export class FireFlyWriter {
  private readonly pool: Pool;
  private readonly next = new Map<string, number>();
  private waiting: Waiting[] = [];
  private timer: NodeJS.Timeout | undefined;
  private writing = Promise.resolve();

  constructor(databaseUrl: string) {
    this.pool = new Pool({ connectionString: databaseUrl, max: 10 });
  }

  async prepare(): Promise<void> {
    await this.pool.query(TABLE);
  }

  allocate(signer: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ signer, resolve, reject });
      if (this.waiting.length >= BATCH_MAX) this.begin();
      else this.timer ??= setTimeout(() => this.begin(), BATCH_TIMEOUT_MS);
    });
  }

  close(): Promise<void> {
    return this.pool.end();
  }

  private begin(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const batch = this.waiting;
    this.waiting = [];
    this.writing = this.writing.then(() => this.write(batch));
  }

  private async write(batch: readonly Waiting[]): Promise<void> {
    const nonces = batch.map(({ signer }) => {
      const nonce = this.next.get(signer) ?? 0;
      this.next.set(signer, nonce + 1);
      return nonce;
    });
    const client = await this.pool.connect();
    try {
      await client.query('BEGIN');
      await client.query({
        name: 'firefly_insert',
        text: `INSERT INTO managed_transaction
          SELECT id, signer, nonce, 'Pending', $4, now()
          FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS t (id, signer, nonce)`,
        values: [batch.map(() => randomUUID()), batch.map(({ signer }) => signer), nonces, BODY],
      });
      await client.query('COMMIT');
      client.release();
      batch.forEach((waiting, i) => waiting.resolve(nonces[i] ?? NaN));
    } catch (error) {
      client.release(true);
      for (const waiting of batch) waiting.reject(error);
    }
  }
}
