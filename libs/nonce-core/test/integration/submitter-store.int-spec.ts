import type { HolderCommand } from '../../src/domain/holder-command';
import type { Nonce } from '../../src/domain/nonce';
import type { Submitter } from '../../src/domain/submitter';
import { PostgresAccessStore } from '../../src/postgres/postgres-access-store';
import { PostgresSubmitterStore } from '../../src/postgres/postgres-submitter-store';
import {
  baselineOf,
  batchOf,
  hashOf,
  newSubmitter,
  openStore,
  QUARANTINE,
  rowOf,
  tokens,
  type StoreFixture,
} from '../support/store-fixture';

let fixture: StoreFixture;
let submitters: PostgresSubmitterStore;
beforeAll(async () => {
  fixture = await openStore();
  submitters = new PostgresSubmitterStore(fixture.runner);
});
afterAll(() => fixture.close());

async function grant(submitter: Submitter, count: number): Promise<readonly string[]> {
  const row = rowOf(submitter, { ids: tokens(count) });
  const [answer] = await fixture.store.allocate(batchOf([row]));
  if (answer?.kind !== 'granted') throw new Error(JSON.stringify(answer));
  return answer.allocations.map((allocation) => allocation.id);
}

async function tell(id: string | undefined, command: HolderCommand, note?: string): Promise<void> {
  const row = {
    command,
    id: id ?? '',
    submitter: null,
    nonce: null,
    txHash: command === 'intent' ? hashOf(5) : null,
    rawTx: null,
    note: note ?? null,
    ttlMs: 60_000,
    followable: false,
  };
  const [answer] = await fixture.store.command([row], QUARANTINE);
  if (answer?.kind !== 'done') throw new Error(JSON.stringify(answer));
}

async function opened(): Promise<Submitter> {
  const submitter = newSubmitter();
  await fixture.store.open(baselineOf(submitter, { startNonce: 10 as Nonce, pendingCount: 10 }));
  return submitter;
}

it('S12: a view counts every issued nonce exactly once', async () => {
  const submitter = await opened();
  const [first, second, third] = await grant(submitter, 6);
  await tell(first, 'used');
  await tell(second, 'recyclable');
  await tell(third, 'intent');
  const view = await submitters.view(submitter, 64);
  expect(view).toMatchObject({
    counts: { RESERVED: 4, USED: 1, RECYCLABLE: 1 },
    nextLocalNonce: 16,
    epoch: 1,
    engine: 'reliable',
    maxInFlight: 64,
    chainLatest: null,
    lastChainNonce: null,
    paused: false,
  });
  expect(view?.oldestReservedAgeMs).toBeGreaterThanOrEqual(0);
});

it('gaps are runs of nonces that block, each with its cause and what to do', async () => {
  const submitter = await opened();
  const ids = await grant(submitter, 6);
  await tell(ids[1], 'recyclable');
  await tell(ids[2], 'recyclable');
  await tell(ids[3], 'quarantine');
  await fixture.database.pool.query(
    `UPDATE submitter_nonce_allocation SET deadline = now() - interval '1 s' WHERE id = $1`,
    [ids[5]],
  );
  const gaps = (await submitters.view(submitter, 0))?.gaps ?? [];
  expect(gaps.map(({ from, to, stage }) => ({ from, to, stage }))).toEqual([
    { from: 11, to: 12, stage: 'REUSABLE' },
    { from: 13, to: 13, stage: 'QUARANTINED' },
    { from: 15, to: 15, stage: 'GRANTED' },
  ]);
  for (const gap of gaps) expect(gap.cause.length * gap.suggestion.length).toBeGreaterThan(0);
});

it('a page holds as many as asked for, in key order, and the next one goes on after it', async () => {
  const all = await Promise.all(Array.from({ length: 5 }, () => opened()));
  await submitters.updateSettings(all[3] ?? all[0]!, { label: 'Treasury' });
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await submitters.list({
      limit: 2,
      defaultMaxInFlight: 0,
      ...(cursor === undefined ? {} : { cursor }),
    });
    expect(page.items.length).toBeLessThanOrEqual(2);
    seen.push(...page.items.map((item) => item.submitter));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  expect(seen).toEqual([...new Set(seen)].sort());
  expect(seen).toEqual(expect.arrayContaining(all));
  const found = await submitters.list({ search: 'treas', limit: 10, defaultMaxInFlight: 0 });
  expect(found.items.map((item) => item.label)).toEqual(['Treasury']);
  const none = await submitters.list({ search: '%', limit: 10, defaultMaxInFlight: 0 });
  expect(none.items).toEqual([]);
});

it('rows are filtered by status, stage and range', async () => {
  const submitter = await opened();
  const ids = await grant(submitter, 4);
  await tell(ids[0], 'used');
  await tell(ids[1], 'recyclable');
  const nonces = async (query: Partial<Parameters<PostgresSubmitterStore['nonces']>[0]>) =>
    (await submitters.nonces({ submitter, limit: 100, ...query })).map((row) => row.nonce);
  expect(await nonces({})).toEqual([10, 11, 12, 13]);
  expect(await nonces({ status: 'RESERVED' })).toEqual([12, 13]);
  expect(await nonces({ stage: 'REUSABLE' })).toEqual([11]);
  expect(await nonces({ status: 'USED', stage: 'REUSABLE' })).toEqual([]);
  expect(await nonces({ from: 11, to: 12 })).toEqual([11, 12]);
  expect(await nonces({ limit: 1 })).toEqual([10]);
});

it('the history of a nonce tells every grant and how it ended', async () => {
  const submitter = await opened();
  const [first] = await grant(submitter, 1);
  await tell(first, 'recyclable', 'gas estimate failed');
  const [second] = await grant(submitter, 1);
  await tell(second, 'used');
  const found = await submitters.nonce(submitter, 10 as Nonce);
  const told = found?.history.map(({ allocationId, stage, cause }) => [
    allocationId === first ? 1 : 2,
    stage,
    cause,
  ]);
  expect(told).toEqual([
    [1, 'GRANTED', 'granted'],
    [1, 'REUSABLE', 'gas estimate failed'],
    [2, 'GRANTED', 'granted'],
    [2, 'ASSERTED', 'reported or observed'],
  ]);
  expect(found?.allocation).toMatchObject({ id: second, source: 'recycled' });
  expect(await submitters.nonce(submitter, 99 as Nonce)).toBeNull();
});

it('settings change one by one, and null goes back to the default', async () => {
  const submitter = await opened();
  const own = { label: 'hot', maxInFlight: 3, ttlMs: 5_000, exposure: 'assumed' as const };
  expect(await submitters.updateSettings(submitter, own)).toBe(true);
  expect(await submitters.updateSettings(submitter, { maxInFlight: null })).toBe(true);
  expect(await submitters.view(submitter, 64)).toMatchObject({ label: 'hot', maxInFlight: 64 });
  expect(await submitters.defaults(submitter)).toEqual({ ttlMs: 5_000, exposure: 'assumed' });
  expect(await submitters.updateSettings(newSubmitter(), own)).toBe(false);
  expect(await submitters.defaults(newSubmitter())).toBeNull();
});

it('a paused submitter issues nothing until it is resumed', async () => {
  const submitter = await opened();
  expect(await submitters.setPaused(submitter, true, 'key rotation')).toBe(true);
  expect(await submitters.view(submitter, 0)).toMatchObject({ pausedReason: 'key rotation' });
  const [refused] = await fixture.store.allocate(batchOf([rowOf(submitter)]));
  expect(refused).toMatchObject({ kind: 'refused', code: 'NONCE_PAUSED' });
  await submitters.setPaused(submitter, false, 'done');
  expect(await grant(submitter, 1)).toHaveLength(1);
  expect(await submitters.setPaused(newSubmitter(), true, 'x')).toBe(false);
});

it('keys are found by digest only, and never when revoked or expired', async () => {
  const access = new PostgresAccessStore(fixture.runner);
  const digest = 'ab'.repeat(32);
  const saved = await access.saveKey({ name: 'demo', digest, scopes: ['nonce:read'] });
  const again = await access.saveKey({ name: 'demo', digest, scopes: ['ops:read'] });
  expect(again).toEqual({ id: saved.id, name: 'demo', scopes: ['ops:read'] });
  expect(await access.findKey(digest)).toEqual(again);
  expect(await access.findKey('cd'.repeat(32))).toBeNull();
  await fixture.database.pool.query('UPDATE api_key SET revoked_at = now()');
  await access.saveKey({ name: 'demo', digest, scopes: ['ops:read'] });
  expect(await access.findKey(digest)).toBeNull();
  const entry = { actor: 'demo', action: 'pause', subject: 's', reason: 'r', detail: { a: 1 } };
  await access.audit(entry);
  const { rows } = await fixture.database.pool.query('SELECT actor, action, detail FROM audit');
  expect(rows).toEqual([{ actor: 'demo', action: 'pause', detail: { a: 1 } }]);
});

it('no statement of the tracker or the views reads a table row by row when it is large', async () => {
  const submitter = await opened();
  await fixture.database.pool.query(
    `INSERT INTO submitter_nonce_allocation (submitter, chain_generation, nonce, id, stage, source,
       exposure, engine, epoch, created_at, updated_at)
     SELECT $1, 1, n, gen_random_uuid(), 'ASSERTED', 'fresh', 'declared', 'reliable', 1, now(), now()
     FROM generate_series(1000, 40000) n`,
    [submitter],
  );
  await fixture.database.pool.query('VACUUM ANALYZE submitter_nonce_allocation');
  const { statements } = fixture.runner;
  const looked = [
    { name: 'claimDue', text: statements.claimDue.text, values: [['INTENT'], [31_337], 10, 1_000] },
    { name: 'trackingBacklog', text: statements.trackingBacklog.text, values: [] },
    {
      name: 'listSubmitters, one',
      text: statements.listSubmitters.text,
      values: ['', submitter, null, 1, 64],
    },
    { name: 'dueForAlignment', text: statements.dueForAlignment.text, values: [[31_337], 0, 10] },
  ];
  for (const { name, text, values } of looked) {
    const { rows } = await fixture.database.pool.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN ${text}`,
      values,
    );
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(`${name}: ${plan}`).not.toContain('Seq Scan on submitter_nonce_allocation');
  }
});
