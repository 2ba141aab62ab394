import type { AllocateAnswer } from '../../src/ports/allocation-store.port';
import type { Submitter } from '../../src/domain/submitter';
import { createDataSource } from '../../src/postgres/data-source';
import { PostgresAllocationStore } from '../../src/postgres/postgres-allocation-store';
import { StatementRunner } from '../../src/postgres/statement-runner';
import {
  baselineOf,
  batchOf,
  newSubmitter,
  noncesOf,
  openStore,
  rowOf,
  tokens,
  type StoreFixture,
} from '../support/store-fixture';
import { waitFor } from '../support/wait-for';

describe('allocate_batch', () => {
  let fixture: StoreFixture;

  beforeAll(async () => {
    fixture = await openStore();
  });

  afterAll(async () => {
    await fixture.close();
  });

  async function opened(overrides = {}): Promise<Submitter> {
    const submitter = newSubmitter();
    await fixture.store.open(baselineOf(submitter, overrides));
    return submitter;
  }

  async function allocate(
    rows: Parameters<typeof batchOf>[0],
    overrides = {},
  ): Promise<readonly AllocateAnswer[]> {
    return fixture.store.allocate(batchOf(rows, overrides));
  }

  async function closeStrictRange(submitter: Submitter, width: number): Promise<void> {
    const change = (epoch: number, engine: string, raise: number): Promise<unknown> =>
      fixture.database.pool.query('SELECT change_epoch($1, $2, $3, NULL, $4, $5, $6)', [
        submitter,
        epoch,
        engine,
        raise,
        'strict',
        'test',
      ]);
    await change(1, 'performance', width);
    await change(2, 'reliable', 0);
  }

  it('answers every caller of a batch over several submitters with its own contiguous nonces', async () => {
    const [a, b] = [await opened(), await opened({ startNonce: 100, pendingCount: 100 })];
    const answers = await allocate([rowOf(b), rowOf(a), rowOf(b, { ids: tokens(3) }), rowOf(a)]);
    expect(answers.map(noncesOf)).toEqual([[100], [0], [101, 102, 103], [1]]);
  });

  it('K1: the same owner tokens sent again after a lost reply are answered with the same nonces', async () => {
    const submitter = await opened();
    const rows = [rowOf(submitter), rowOf(submitter, { ids: tokens(2) })];
    await allocate(rows);
    const again = await allocate(rows, { retry: true });
    expect(again.map(noncesOf)).toEqual([[0], [1, 2]]);
    expect(again.every((answer) => answer.kind === 'granted' && answer.replayed)).toBe(true);
    expect(noncesOf((await allocate([rowOf(submitter)]))[0])).toEqual([3]);
  });

  it('K1: a repeated batch of which nothing was committed is granted as if it were the first', async () => {
    const submitter = await opened();
    const answers = await allocate([rowOf(submitter)], { retry: true });
    expect(answers.map(noncesOf)).toEqual([[0]]);
  });

  it('H-17: after a 1,024-wide strict epoch is closed, its nonces are issued once each, in order, by visiting each once', async () => {
    const submitter = await opened();
    await allocate([rowOf(submitter)]);
    await closeStrictRange(submitter, 1_024);
    const issued: number[] = [];
    for (let round = 0; round < 40; round += 1) {
      const rows = Array.from({ length: 25 }, () => rowOf(submitter));
      issued.push(...(await allocate(rows)).flatMap(noncesOf));
      const { rows: state } = await fixture.database.pool.query<{ walk_cursor: string }>(
        'SELECT walk_cursor FROM submitter_nonce_state WHERE submitter = $1',
        [submitter],
      );
      // The cursor stands right behind what was issued: nothing is looked at twice or ahead.
      expect(Number(state[0]?.walk_cursor)).toBe(issued.length + 1);
    }
    expect(issued).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
  });

  it('S3: a nonce of a closed range that has a row is left to its row by the walk', async () => {
    const submitter = await opened();
    await fixture.database.pool.query('SELECT change_epoch($1, 1, $2, NULL, 8, $3, $4)', [
      submitter,
      'performance',
      'strict',
      'test',
    ]);
    await fixture.database.pool.query(
      `INSERT INTO submitter_nonce_allocation (submitter, chain_generation, nonce, id, stage, source,
         exposure, engine, epoch, tx_hash, hashes, created_at, updated_at)
       VALUES ($1, 1, 2, gen_random_uuid(), 'INTENT', 'fresh', 'declared', 'performance', 2, $2,
         ARRAY[$2], now(), now())`,
      [submitter, `0x${'a'.repeat(64)}`],
    );
    await fixture.database.pool.query('SELECT change_epoch($1, 2, $2, NULL, 0, $3, $4)', [
      submitter,
      'reliable',
      'strict',
      'test',
    ]);
    const answers = await allocate([rowOf(submitter, { ids: tokens(9) })]);
    expect(noncesOf(answers[0])).toEqual([0, 1, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('L3: never-issued nonces of a closed range count as fresh: the window holds for them too', async () => {
    const submitter = await opened({ chainLatestCount: 0, chainFinalizedCount: 0 });
    await closeStrictRange(submitter, 16);
    const rows = [rowOf(submitter, { ids: tokens(4) }), rowOf(submitter)];
    const answers = await allocate(rows, { maxInFlight: 4 });
    expect(noncesOf(answers[0])).toEqual([0, 1, 2, 3]);
    expect(answers[1]).toMatchObject({ kind: 'refused', code: 'NONCE_IN_FLIGHT_LIMIT' });
  });

  it('H-18: a submitter whose row another transaction holds is passed over; the others are served', async () => {
    const [free, held] = [await opened(), await opened()];
    const client = await fixture.database.pool.connect();
    await client.query('BEGIN');
    await client.query('SELECT 1 FROM submitter_nonce_state WHERE submitter = $1 FOR UPDATE', [
      held,
    ]);
    const answers = await allocate([rowOf(held), rowOf(free)], { skipLocked: true });
    await client.query('ROLLBACK');
    client.release();
    expect(answers[0]).toEqual({ kind: 'contended' });
    expect(noncesOf(answers[1])).toEqual([0]);
  });

  it('H-18: a submitter that belongs to another engine is refused and the rest of the batch is granted', async () => {
    const [ours, theirs] = [await opened(), await opened()];
    await fixture.database.pool.query('SELECT change_epoch($1, 1, $2, NULL, 8, $3, $4)', [
      theirs,
      'performance',
      'strict',
      'test',
    ]);
    const answers = await allocate([rowOf(theirs), rowOf(ours)]);
    expect(answers[0]).toMatchObject({ kind: 'refused', code: 'NONCE_MODE_SWITCHING' });
    expect(noncesOf(answers[1])).toEqual([0]);
  });

  it('S9: of two changes of authority that saw the same epoch one wins and starts at the ceiling', async () => {
    const submitter = await opened();
    await allocate([rowOf(submitter, { ids: tokens(5) })]);
    const change = (): Promise<{ rows: { epoch: string | null }[] }> =>
      fixture.database.pool.query('SELECT change_epoch($1, 1, $2, NULL, 0, $3, $4) AS epoch', [
        submitter,
        'reliable',
        'strict',
        'test',
      ]);
    const epochs = (await Promise.all([change(), change()])).map((result) => result.rows[0]?.epoch);
    expect(epochs.sort()).toEqual(['2', null]);
    expect(noncesOf((await allocate([rowOf(submitter)]))[0])).toEqual([5]);
  });

  it('L6: a backlog of overdue reservations is taken back as callers need it, and by the sweep as a whole', async () => {
    const submitter = await opened();
    for (let round = 0; round < 8; round += 1)
      await allocate([rowOf(submitter, { ids: tokens(250) })]);
    await fixture.database.pool.query(
      `WITH overdue AS (
         UPDATE submitter_nonce_allocation
         SET deadline = now() - interval '1 hour' + nonce * interval '1 ms' WHERE submitter = $1)
       UPDATE submitter_nonce_state SET reclaim_at = now() - interval '1 hour' WHERE submitter = $1`,
      [submitter],
    );
    const overdue = async (): Promise<number> => {
      const { rows } = await fixture.database.pool.query<{ count: string }>(
        `SELECT count(*) FROM submitter_nonce_allocation
         WHERE submitter = $1 AND stage = 'GRANTED' AND deadline < now()`,
        [submitter],
      );
      return Number(rows[0]?.count);
    };
    const answers = await allocate([rowOf(submitter), rowOf(submitter, { ids: tokens(2) })]);
    expect(answers.flatMap(noncesOf)).toEqual([0, 1, 2]);
    // The statement touched no more of the backlog than it could use.
    expect(await overdue()).toBe(2_000 - 3);
    while ((await overdue()) > 0) {
      const swept = await fixture.database.pool.query('SELECT reclaim_expired(500, 30000, $1)', [
        'replacement',
      ]);
      expect(swept.rowCount).toBeGreaterThan(0);
      expect(swept.rowCount).toBeLessThanOrEqual(500);
    }
    const next = await allocate([rowOf(submitter, { ids: tokens(5) })]);
    expect(noncesOf(next[0])).toEqual([3, 4, 5, 6, 7]);
  });

  it('keeps its index plans when statistics were taken on empty tables', async () => {
    const submitter = await opened();
    await fixture.database.pool.query('ANALYZE');
    const statistics = async (): Promise<{ scans: number; inserted: number }> => {
      const { rows } = await fixture.database.pool.query<{ scans: string; inserted: string }>(
        `SELECT sum(seq_scan) AS scans, sum(n_tup_ins) AS inserted FROM pg_stat_user_tables
         WHERE relname IN ('submitter_nonce_state', 'submitter_nonce_allocation')`,
      );
      return { scans: Number(rows[0]?.scans), inserted: Number(rows[0]?.inserted) };
    };
    const before = await statistics();
    // Connections of their own: a backend reports its statistics at the latest when it ends.
    const source = createDataSource({ url: fixture.database.url, schema: fixture.database.schema });
    await source.initialize();
    const store = new PostgresAllocationStore(new StatementRunner(source, fixture.database.schema));
    for (let round = 0; round < 80; round += 1) {
      await store.allocate(batchOf([rowOf(submitter, { ids: tokens(250) })]));
    }
    await source.destroy();
    const after = await waitFor(
      async () => {
        const now = await statistics();
        return now.inserted >= before.inserted + 20_000 ? now : undefined;
      },
      { describe: 'the statistics of 20,000 inserts' },
    );
    expect(after.scans).toBe(before.scans);
    const { rows } = await fixture.database.pool.query<{ count: string }>(
      'SELECT count(*) FROM submitter_nonce_allocation WHERE submitter = $1',
      [submitter],
    );
    expect(Number(rows[0]?.count)).toBe(20_000);
  });
});
