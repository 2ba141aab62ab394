import { v7 } from 'uuid';
import type { HolderCommand } from '../../src/domain/holder-command';
import type { HolderRow } from '../../src/ports/allocation-store.port';
import type { FastEpoch } from '../../src/ports/fast-epoch-store.port';
import type { FastGrant } from '../../src/ports/fast-store.port';
import { mergeEvents } from '../../src/postgres/merge-events';
import { batchOf, hashOf, noncesOf, QUARANTINE, rowOf } from '../support/store-fixture';
import { eventOf, grantOf, openFlushBench, type FlushBench } from './flushed-rows';
import { orderings } from './orderings';

let bench: FlushBench;
beforeAll(async () => {
  bench = await openFlushBench();
});
afterAll(() => bench.close());

const [H1, H2, H3] = [hashOf(1), hashOf(2), hashOf(3)];

async function rowOfNonce(epoch: FastEpoch, nonce = 0) {
  const row = (await bench.rows(epoch.view.submitter)).find((each) => each.nonce === nonce);
  if (row === undefined) throw new Error(`nonce ${String(nonce)} has no row`);
  return row;
}

/** A holder's word to Postgres. */
async function say(command: HolderCommand, grant: FastGrant, facts: Partial<HolderRow> = {}) {
  const row: HolderRow = {
    command,
    id: grant.id,
    submitter: grant.submitter,
    nonce: grant.nonce,
    txHash: null,
    rawTx: null,
    note: null,
    ttlMs: 30_000,
    followable: true,
    grant,
    ...facts,
  };
  const [answer] = await bench.fixture.store.command([row], QUARANTINE);
  return answer;
}

async function stateOf(epoch: FastEpoch) {
  const { rows } = await bench.fixture.database.pool.query<{
    next: number;
    ceiling: number;
    reclaim: number | null;
  }>(
    `SELECT next_local_nonce::integer AS next, ceiling::integer,
       CASE WHEN reclaim_at < 'infinity' THEN (extract(epoch FROM reclaim_at) * 1000)::double precision
       END AS reclaim
     FROM submitter_nonce_state WHERE submitter = $1`,
    [epoch.view.submitter],
  );
  return rows[0]!;
}

/** The engine on Postgres takes over, so that the row decides who issues next. */
async function toPostgres(epoch: FastEpoch, reason = 'test'): Promise<void> {
  await bench.epochs.close(epoch.view, null, reason);
  await bench.fixture.database.pool.query(
    `UPDATE submitter_nonce_state SET engine = 'reliable' WHERE submitter = $1`,
    [epoch.view.submitter],
  );
}

describe('within the ruling epoch', () => {
  it('H-6: granted, released and granted again, in any order and doubled, the row shows the second grant', async () => {
    const epoch = await bench.inEpoch('strict', 100);
    const orders = orderings(['first', 'released', 'second'] as const, 2);
    for (const [nonce, order] of orders.entries()) {
      const first = grantOf(epoch, nonce);
      const second = grantOf(epoch, nonce, { generation: 3, source: 'recycled' });
      const events = {
        first: eventOf(first, 'GRANTED'),
        released: eventOf(first, 'REUSABLE'),
        second: eventOf(second, 'GRANTED'),
      };
      for (const name of order) await bench.apply(events[name]);
      expect(await rowOfNonce(epoch, nonce)).toMatchObject({
        id: second.id,
        stage: 'GRANTED',
        source: 'recycled',
        generation: 3,
      });
      expect(await say('submitted', first, { txHash: H1 })).toMatchObject({ code: 'NONCE_FENCED' });
    }
    const past = await bench.past(epoch.view.submitter);
    expect(past.map(({ ended }) => ended)).toEqual(orders.map(() => 'REUSABLE'));
  });

  it('keeps every grant of a nonce that was granted many times within one batch', async () => {
    const epoch = await bench.inEpoch();
    const grants = Array.from({ length: 20 }, (_, i) => grantOf(epoch, 0, { generation: i + 2 }));
    const events = grants.flatMap((grant) => [
      eventOf(grant, 'GRANTED'),
      ...(grant.generation < 21 ? [eventOf(grant, 'REUSABLE')] : []),
    ]);
    await bench.apply(...events.reverse());
    expect(await rowOfNonce(epoch)).toMatchObject({ id: grants[19]?.id, stage: 'GRANTED' });
    const past = await bench.past(epoch.view.submitter);
    expect(past.map(({ id }) => id)).toEqual(grants.slice(0, 19).map(({ id }) => id));
    expect(new Set(past.map(({ ended }) => ended))).toEqual(new Set(['REUSABLE']));
  });

  it('moves the counter past what was granted, never beyond the ceiling, and no deadline of Redis', async () => {
    const epoch = await bench.inEpoch('strict', 10);
    await bench.apply(eventOf(grantOf(epoch, 3), 'GRANTED'), eventOf(grantOf(epoch, 7), 'GRANTED'));
    expect(await stateOf(epoch)).toEqual({ next: 8, ceiling: 10, reclaim: null });
    await bench.apply(eventOf(grantOf(epoch, 1), 'GRANTED'));
    expect(await stateOf(epoch)).toMatchObject({ next: 8 });
  });

  it('notes that a released nonce is free in Redis already, and hands one that expired over again', async () => {
    const epoch = await bench.inEpoch();
    await bench.apply(
      eventOf(grantOf(epoch, 0), 'REUSABLE'),
      eventOf(grantOf(epoch, 1), 'EXPIRED'),
      eventOf(grantOf(epoch, 2, { exposure: 'inferred' }), 'EXPIRED'),
      eventOf(grantOf(epoch, 3, { source: 'replacement' }), 'EXPIRED'),
    );
    expect(await bench.rows(epoch.view.submitter)).toMatchObject([
      { stage: 'REUSABLE', loaded: epoch.view.epoch },
      { stage: 'REUSABLE', loaded: null },
      { stage: 'QUARANTINED', loaded: null, looked: true, released: true },
      { stage: 'QUARANTINED', source: 'replacement' },
    ]);
  });

  it('never takes back an intent: what Redis says of its expiry or release came too late', async () => {
    const epoch = await bench.inEpoch('relaxed');
    for (const stage of ['EXPIRED', 'REUSABLE', 'QUARANTINED', 'GRANTED'] as const) {
      const nonce = ['EXPIRED', 'REUSABLE', 'QUARANTINED', 'GRANTED'].indexOf(stage);
      const grant = grantOf(epoch, nonce);
      await say('intent', grant, { txHash: H1 });
      await bench.apply(eventOf(grant, stage, { rank: 2 }));
      expect(await rowOfNonce(epoch, nonce)).toMatchObject({ stage: 'INTENT', hashes: [H1] });
    }
  });

  it('does not bring a grant back to life that Postgres has ended: the event of the grant came late', async () => {
    const epoch = await bench.inEpoch();
    const grant = grantOf(epoch, 0);
    await say('recyclable', grant);
    await bench.apply(eventOf(grant, 'GRANTED'));
    expect(await rowOfNonce(epoch)).toMatchObject({ stage: 'REUSABLE', id: grant.id });
    const other = grantOf(epoch, 1, { exposure: 'inferred' });
    await say('quarantine', other);
    await bench.apply(eventOf(other, 'GRANTED'), eventOf(other, 'REUSABLE'));
    expect(await rowOfNonce(epoch, 1)).toMatchObject({ stage: 'QUARANTINED' });
  });

  it('gives nobody a nonce for which another holder has an intent; the rival is fenced (H-11)', async () => {
    const epoch = await bench.inEpoch();
    const late = grantOf(epoch, 0);
    await say('intent', late, { txHash: H1 });
    const rival = grantOf(epoch, 0, { generation: 9, source: 'recycled' });
    await bench.apply(
      eventOf(rival, 'GRANTED'),
      eventOf(rival, 'BROADCAST', { hashes: [H2] }),
      eventOf(late, 'BROADCAST', { hashes: [H1, H3] }),
    );
    // Whichever mines, the row knows its hash; the rival's are not the holder's own.
    expect(await rowOfNonce(epoch)).toMatchObject({
      id: late.id,
      stage: 'BROADCAST',
      hashes: [H2, H1, H3],
      inherited: 1,
    });
    expect(await say('used', rival, { txHash: H2 })).toMatchObject({ code: 'NONCE_FENCED' });
  });

  it('issues nothing clean that an earlier holder may have sent (S3)', async () => {
    const epoch = await bench.inEpoch('relaxed');
    const first = grantOf(epoch, 0, { exposure: 'inferred' });
    const second = grantOf(epoch, 0, { generation: 3, source: 'recycled' });
    await bench.apply(eventOf(second, 'GRANTED'));
    await bench.apply(eventOf(first, 'BROADCAST', { hashes: [H1] }));
    expect(await rowOfNonce(epoch)).toMatchObject({
      id: second.id,
      source: 'replacement',
      hashes: [H1],
      inherited: 1,
    });
    await bench.apply(eventOf(second, 'REUSABLE'));
    expect(await rowOfNonce(epoch)).toMatchObject({ stage: 'QUARANTINED' });
  });

  it('strict: leaves a black-box holder its nonce over which Redis granted it again, and never issues it clean', async () => {
    const epoch = await bench.inEpoch();
    const holder = grantOf(epoch, 0, { exposure: 'inferred' });
    await bench.epochs.record([{ grants: [holder], requestHash: null }]);
    const rival = grantOf(epoch, 0, { generation: 3, source: 'recycled' });
    await bench.apply(eventOf(rival, 'GRANTED'));
    await bench.apply(eventOf(rival, 'EXPIRED'));
    expect(await rowOfNonce(epoch)).toMatchObject({
      id: holder.id,
      stage: 'QUARANTINED',
      loaded: null,
      released: true,
    });
    expect(await say('intent', rival, { txHash: H2 })).toMatchObject({ code: 'NONCE_FENCED' });
    expect(await say('used', holder, { txHash: H1 })).toMatchObject({ kind: 'done' });
    expect(await rowOfNonce(epoch)).toMatchObject({ stage: 'INTENT', hashes: [H1] });
  });

  it('strict: hands a quarantined nonce over again when the one who popped it was refused (H-11)', async () => {
    const epoch = await bench.inEpoch();
    const next = await bench.cutOff(epoch);
    const free = await rowOfNonce(epoch);
    expect(free).toMatchObject({ stage: 'REUSABLE', loaded: next.view.epoch });
    const owner = { ...grantOf(epoch, 0), id: free.id };
    await say('quarantine', owner);
    const popped = grantOf(next, 0, { source: 'recycled' });
    expect(await say('intent', popped, { txHash: H1 })).toMatchObject({ code: 'NONCE_FENCED' });
    await bench.apply(eventOf(popped, 'GRANTED'), eventOf(popped, 'EXPIRED'));
    expect(await rowOfNonce(epoch)).toMatchObject({
      id: free.id,
      stage: 'QUARANTINED',
      loaded: null,
      released: true,
    });
  });

  it('lets an operation keep the binding that Postgres wrote (H-2)', async () => {
    const epoch = await bench.inEpoch();
    await bench.apply(eventOf(grantOf(epoch, 0, { operationId: 'order-1' }), 'GRANTED'));
    const { rows } = await bench.fixture.database.pool.query(
      'SELECT 1 FROM operation WHERE submitter = $1',
      [epoch.view.submitter],
    );
    expect(rows).toEqual([]);
    expect(await rowOfNonce(epoch)).toMatchObject({ operation: 'order-1' });
  });
});

describe('after the epoch was closed', () => {
  it('H-5: a release and the grant that followed it, both unflushed, leave the nonce in quarantine', async () => {
    const epoch = await bench.inEpoch('relaxed');
    const first = grantOf(epoch, 5);
    await bench.apply(eventOf(first, 'GRANTED'), eventOf(first, 'REUSABLE'));
    await toPostgres(epoch);
    expect(await rowOfNonce(epoch, 5)).toMatchObject({ stage: 'QUARANTINED' });
    const second = grantOf(epoch, 5, { generation: 3, source: 'recycled' });
    await bench.apply(eventOf(first, 'REUSABLE'), eventOf(second, 'GRANTED'));
    expect(await rowOfNonce(epoch, 5)).toMatchObject({ id: second.id, stage: 'QUARANTINED' });
    const [answer] = await bench.fixture.store.allocate(batchOf([rowOf(epoch.view.submitter)]));
    expect(noncesOf(answer)).toEqual([64]);
    await bench.apply(eventOf(second, 'BROADCAST', { hashes: [H1] }));
    expect(await rowOfNonce(epoch, 5)).toMatchObject({
      stage: 'INTENT',
      hashes: [H1],
      looked: true,
    });
  });

  it('believes no release of a relaxed epoch that was cut off', async () => {
    const epoch = await bench.inEpoch('relaxed');
    await toPostgres(epoch);
    await bench.apply(
      eventOf(grantOf(epoch, 0), 'REUSABLE'),
      eventOf(grantOf(epoch, 1), 'EXPIRED'),
    );
    expect(await rowOfNonce(epoch, 0)).toMatchObject({ stage: 'QUARANTINED', shared: true });
    expect(await rowOfNonce(epoch, 1)).toMatchObject({ stage: 'QUARANTINED', shared: true });
  });

  it('adds a late hash to what a replacement has sent since, as one of an earlier holder', async () => {
    const epoch = await bench.inEpoch('relaxed');
    const early = grantOf(epoch, 0);
    await bench.apply(eventOf(early, 'GRANTED'));
    await toPostgres(epoch);
    await bench.fixture.database.pool.query(
      `UPDATE submitter_nonce_allocation SET release_at = now() WHERE submitter = $1 AND nonce = 0`,
      [epoch.view.submitter],
    );
    const id = v7();
    const row = rowOf(epoch.view.submitter, { ids: [id] });
    const [answer] = await bench.fixture.store.allocate(batchOf([row]));
    expect(noncesOf(answer)).toEqual([0]);
    await bench.fixture.store.command([commandRow(id, epoch, { txHash: H2 })], QUARANTINE);
    await bench.apply(eventOf(early, 'BROADCAST', { hashes: [H1] }));
    expect(await rowOfNonce(epoch)).toMatchObject({
      id,
      stage: 'INTENT',
      txHash: H2,
      hashes: [H1, H2],
      inherited: 1,
    });
    expect(await bench.past(epoch.view.submitter)).toMatchObject([
      { id: early.id, ended: 'QUARANTINED', hashes: [H1] },
    ]);
  });

  it('lets the sweep look after reservations of a strict epoch that became known late', async () => {
    const epoch = await bench.inEpoch('strict', 600);
    await bench.cutOff(epoch);
    await bench.fixture.database.pool.query(
      `UPDATE submitter_nonce_state SET reclaim_at = 'infinity' WHERE submitter = $1`,
      [epoch.view.submitter],
    );
    const declared = grantOf(epoch, 500);
    const inferred = grantOf(epoch, 501, { exposure: 'inferred' });
    await bench.apply(eventOf(declared, 'GRANTED'), eventOf(inferred, 'GRANTED'));
    expect((await stateOf(epoch)).reclaim).toBe(declared.deadlineMs);
    expect(await rowOfNonce(epoch, 500)).toMatchObject({ stage: 'GRANTED', loaded: null });
  });

  it('leaves a nonce that was proven unused to its new owner, and knows its late holder as fenced', async () => {
    const epoch = await bench.inEpoch();
    const next = await bench.cutOff(epoch);
    expect(next.free.length).toBeGreaterThan(0);
    const late = grantOf(epoch, 0);
    await bench.apply(eventOf(late, 'GRANTED'));
    expect(await rowOfNonce(epoch)).toMatchObject({ stage: 'REUSABLE', loaded: next.view.epoch });
    const owner = grantOf(next, 0, { source: 'recycled' });
    await bench.apply(eventOf(owner, 'GRANTED'), eventOf(late, 'REUSABLE'));
    expect(await rowOfNonce(epoch)).toMatchObject({ id: owner.id, stage: 'GRANTED' });
    expect(await say('intent', late, { txHash: H1 })).toMatchObject({ code: 'NONCE_FENCED' });
  });
});

it('a batch names each grant once, with its last word and every hash, in key order', async () => {
  const epoch = await bench.inEpoch();
  const other = await bench.inEpoch();
  const grant = grantOf(epoch, 1);
  const merged = mergeEvents([
    eventOf(grantOf(other, 0), 'GRANTED'),
    eventOf(grant, 'BROADCAST', { rank: 3, hashes: [H2] }),
    eventOf(grant, 'GRANTED', { rank: 1, note: 'kept' }),
    eventOf(grant, 'BROADCAST', { rank: 2, hashes: [H1] }),
    eventOf(grantOf(epoch, 0), 'GRANTED'),
  ]);
  expect(merged.map((event) => [event.grant.submitter, event.grant.nonce])).toEqual(
    [epoch, epoch, other]
      .map(({ view }, i) => [view.submitter, [0, 1, 0][i]])
      .sort((left, right) => (String(left[0]) < String(right[0]) ? -1 : 1)),
  );
  const own = merged.find((event) => event.grant.id === grant.id);
  expect(own).toMatchObject({ stage: 'BROADCAST', rank: 3, hashes: [H1, H2], note: 'kept' });
});

function commandRow(id: string, epoch: FastEpoch, facts: Partial<HolderRow>): HolderRow {
  return {
    command: 'intent',
    id,
    submitter: epoch.view.submitter,
    nonce: 0 as never,
    txHash: null,
    rawTx: null,
    note: null,
    ttlMs: 30_000,
    followable: true,
    ...facts,
  };
}
