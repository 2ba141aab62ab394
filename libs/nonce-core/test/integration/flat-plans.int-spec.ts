import { v7 } from 'uuid';
import type { Submitter } from '../../src/domain/submitter';
import type { FastEpoch } from '../../src/ports/fast-epoch-store.port';
import type { FastGrant } from '../../src/ports/fast-store.port';
import { createDataSource } from '../../src/postgres/data-source';
import { PostgresAllocationStore } from '../../src/postgres/postgres-allocation-store';
import { PostgresFlushStore } from '../../src/postgres/postgres-flush-store';
import { StatementRunner } from '../../src/postgres/statement-runner';
import { eventOf } from '../flush/flushed-rows';
import { commandOf, FastEpochBench, grantOf } from '../support/fast-epochs';
import {
  batchOf,
  hashOf,
  openStore,
  QUARANTINE,
  rowOf,
  tokens,
  type StoreFixture,
} from '../support/store-fixture';
import type { TestDatabase } from '../support/test-database';

const BATCH = 64;
const ROWS = 20_000;
/** What one element of a batch may read, at all tables: its row is locked, judged, kept, written. */
const READS_PER_ELEMENT = 12;

/** The stores on one connection, which keeps its plans. */
async function openSession(database: TestDatabase): Promise<FastEpochBench> {
  const { url, schema } = database;
  const source = createDataSource({ url, schema, poolSize: 1 });
  await source.initialize();
  const runner = new StatementRunner(source, schema);
  const store = new PostgresAllocationStore(runner);
  return new FastEpochBench({ database, source, runner, store, close: () => source.destroy() });
}

/** How many rows `work` read, whatever it read them for. */
async function readsOf(
  { fixture: { source } }: FastEpochBench,
  work: () => Promise<unknown>,
): Promise<number> {
  const sum = `SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int AS reads
    FROM pg_stat_xact_user_tables`;
  const reads = async () => (await source.query<{ reads: number }[]>(sum))[0]?.reads ?? 0;
  await source.query('BEGIN');
  const before = await reads();
  await work();
  const after = await reads();
  await source.query('COMMIT');
  return after - before;
}

const batch = (epoch: FastEpoch, from: number): FastGrant[] =>
  Array.from({ length: BATCH }, (_, i) => grantOf(epoch, from + i, { exposure: 'declared' }));
const anew = (grants: readonly FastGrant[]): FastGrant[] =>
  grants.map((grant) => ({ ...grant, id: v7(), generation: grant.generation + 1 }));
const unbound = (grant: FastGrant): FastGrant => ({ ...grant, operationId: null });
const bindingOf = ({ submitter, operationId }: FastGrant) => ({
  submitter,
  operationId: operationId ?? '',
  requestHash: 'hash',
  count: 1,
  exposure: 'declared' as const,
});
const refillOf = ({ view, ceiling }: FastEpoch) => ({
  view,
  ceilingSeen: ceiling,
  raise: 0,
  defaultWindow: 0,
});

interface Subjects {
  readonly epoch: FastEpoch;
  readonly reliable: Submitter;
}

interface Step {
  readonly name: string;
  run(): Promise<unknown>;
}

/** Each hot path once, by batches, on nonces from `from` on that nobody has used yet. */
function stepsOf(session: FastEpochBench, { epoch, reliable }: Subjects, from: number): Step[] {
  const { fixture, epochs } = session;
  const { store } = fixture;
  const flush = new PostgresFlushStore(fixture.runner);
  const record = (grants: readonly FastGrant[]) =>
    epochs.record(grants.map((grant) => ({ grants: [grant], requestHash: 'hash' })));
  const command = (word: 'intent' | 'recyclable', grants: readonly FastGrant[], vouched: boolean) =>
    store.command(
      grants.map((grant, i) => {
        const { grant: facts, ...row } = commandOf(word, grant, from + i);
        return vouched && facts !== undefined ? { ...row, grant: facts } : row;
      }),
      QUARANTINE,
    );
  const apply = (grants: readonly FastGrant[], stage: 'GRANTED' | 'BROADCAST' | 'REUSABLE') =>
    flush.apply(
      grants.map((grant, i) =>
        eventOf(grant, stage, { hashes: stage === 'BROADCAST' ? [hashOf(from + i)] : [] }),
      ),
      QUARANTINE,
    );
  const allocate = () =>
    store.allocate(
      batchOf([rowOf(reliable, { ids: tokens(BATCH), operationId: v7(), requestHash: 'hash' })]),
    );
  const at = (index: number) => batch(epoch, from + index * BATCH);
  const [plain, adopted, taken, told, freed] = [at(0), at(2), at(3), at(4), at(5)];
  const named = at(1).map((grant) => ({ ...grant, operationId: v7() }));
  const again = at(6).map((grant, i) => ({ ...grant, operationId: named[i]?.operationId ?? '' }));
  return [
    { name: 'record_grants of new nonces', run: () => record(plain) },
    { name: 'record_grants of what it has recorded', run: () => record(plain) },
    { name: 'record_grants with operations', run: () => record(named) },
    { name: 'record_grants of bound operations', run: () => record(again) },
    { name: 'find_binding', run: () => epochs.findBindings(again.map(bindingOf)) },
    { name: 'command_batch', run: () => command('intent', plain, false) },
    { name: 'command_batch of bound grants', run: () => command('recyclable', named, false) },
    { name: 'record_grants of freed operations', run: () => record(again) },
    { name: 'record_grants of freed nonces', run: () => record(anew(named).map(unbound)) },
    { name: 'command_batch of unknown grants', run: () => command('intent', anew(again), false) },
    { name: 'command_batch that makes rows', run: () => command('intent', adopted, true) },
    { name: 'record_grants before a takeover', run: () => record(taken) },
    { name: 'command_batch that takes over', run: () => command('intent', anew(taken), true) },
    { name: 'apply_events of new nonces', run: () => apply(told, 'GRANTED') },
    { name: 'apply_events with news', run: () => apply(told, 'BROADCAST') },
    { name: 'apply_events of freed nonces', run: () => apply(freed, 'REUSABLE') },
    { name: 'apply_events that take over', run: () => apply(anew(freed), 'GRANTED') },
    { name: 'apply_events of former holders', run: () => apply(freed, 'BROADCAST') },
    { name: 'load_free', run: () => epochs.refill([refillOf(epoch)], 'strict') },
    { name: 'allocate_batch with operations', run: allocate },
  ];
}

/** From now on nothing is learned about the tables but that they were empty. */
async function forbidStatistics({ pool }: TestDatabase): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'noncekit'`,
  );
  for (const { name } of rows) {
    await pool.query(`ALTER TABLE ${name} SET (autovacuum_enabled = false)`);
  }
  await pool.query('ANALYZE');
}

/** Many nonces in flight, each bound to an operation and granted before. */
async function grow({ pool }: TestDatabase, submitter: Submitter): Promise<void> {
  const nonces = `generate_series(100000, 100000 + ${String(ROWS)} - 1) AS n`;
  await pool.query(
    `INSERT INTO submitter_nonce_allocation (submitter, chain_generation, nonce, id, stage, source,
       exposure, engine, generation, epoch, rank, deadline, operation_id, created_at, updated_at)
     SELECT $1, 1, n, gen_random_uuid(), 'GRANTED', 'fresh', 'declared', 'performance', 2, 2, 1,
       now() + interval '1 hour', 'operation ' || n, now(), now() FROM ${nonces}`,
    [submitter],
  );
  await pool.query(
    `INSERT INTO operation (submitter, operation_id, first_nonce, count, ids, nonces, created_at,
       updated_at)
     SELECT submitter, operation_id, nonce, 1, ARRAY[id], ARRAY[nonce], now(), now()
     FROM submitter_nonce_allocation WHERE submitter = $1 AND nonce >= 100000`,
    [submitter],
  );
  await pool.query(
    `INSERT INTO allocation_grant (id, submitter, chain_generation, nonce, generation, source,
       ended_stage, granted_at, ended_at)
     SELECT gen_random_uuid(), $1, 1, n, 1, 'fresh', 'REUSABLE', now(), now() FROM ${nonces}`,
    [submitter],
  );
}

describe('with statistics of empty tables a batch of 64 reads as little beside 20,000 rows of its submitter', () => {
  let fixture: StoreFixture;
  let subjects: Subjects;
  const sessions: FastEpochBench[] = [];

  beforeAll(async () => {
    fixture = await openStore();
    const { database } = fixture;
    await forbidStatistics(database);
    const early = await openSession(database);
    sessions.push(early);
    const [submitter, reliable] = [await early.opened(), await early.opened()];
    subjects = { epoch: await early.enter(submitter, { raise: 1_000_000 }), reliable };
    for (const step of stepsOf(early, subjects, 0)) await step.run();
    for (const one of [submitter, reliable]) await grow(database, one);
    await database.pool.query(
      `UPDATE submitter_nonce_state SET next_local_nonce = 200000, ceiling = 200000
       WHERE submitter = $1`,
      [reliable],
    );
    sessions.push(await openSession(database));
  }, 60_000);

  afterAll(async () => {
    for (const session of sessions) await session.fixture.close();
    await fixture.close();
  });

  it.each([
    ['made while the tables were empty', 0],
    ['made later', 1],
  ])('by plans %s', async (_, index) => {
    const session = sessions[index];
    if (session === undefined) throw new Error('not open');
    const reads: Record<string, number> = {};
    for (const { name, run } of stepsOf(session, subjects, 300_000 + index * 100_000)) {
      reads[name] = await readsOf(session, run);
    }
    const growing = Object.entries(reads).filter(([, n]) => n > BATCH * READS_PER_ELEMENT);
    expect(growing).toEqual([]);
    // What is measured is what is read.
    expect(reads['command_batch']).toBeGreaterThanOrEqual(BATCH);
  });

  it('by the sweep, which passes over 1,000 reservations of a ruling epoch and looks again at the next', async () => {
    const [session] = sessions;
    if (session === undefined) throw new Error('not open');
    const { source } = session.fixture;
    const { submitter } = subjects.epoch.view;
    await source.query(
      `UPDATE noncekit.submitter_nonce_state SET reclaim_at = '-infinity' WHERE submitter = $1`,
      [submitter],
    );
    const sweep = () => source.query(`SELECT noncekit.reclaim_expired(500, 30000, 'replacement')`);
    expect(await readsOf(session, sweep)).toBeLessThan(2_000);
    const [state] = await source.query<{ again: boolean }[]>(
      `SELECT reclaim_at < 'infinity' AS again FROM noncekit.submitter_nonce_state
       WHERE submitter = $1`,
      [submitter],
    );
    expect(state?.again).toBe(true);
  });
});
