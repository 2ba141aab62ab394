import type { Exposure } from '../../src/domain/allocation';
import type { Hex } from '../../src/domain/brand';
import type { HolderCommand } from '../../src/domain/holder-command';
import type { Nonce } from '../../src/domain/nonce';
import type { Submitter } from '../../src/domain/submitter';
import type { AllocateAnswer, HolderAnswer } from '../../src/ports/allocation-store.port';
import type { TransactionHandle } from '../../src/ports/transaction.port';
import {
  baselineOf,
  batchOf,
  hashOf,
  newSubmitter,
  noncesOf,
  openStore,
  QUARANTINE,
  rowOf,
  type StoreFixture,
} from '../support/store-fixture';

interface Said {
  readonly txHash?: Hex;
  readonly nonce?: number;
  readonly followable?: boolean;
  readonly handle?: TransactionHandle;
}

describe('one operation, one nonce', () => {
  let fixture: StoreFixture;
  let submitter: Submitter;

  beforeAll(async () => {
    fixture = await openStore();
  });

  afterAll(async () => {
    await fixture.close();
  });

  beforeEach(async () => {
    submitter = newSubmitter();
    await fixture.store.open(baselineOf(submitter));
  });

  async function allocate(operationId: string | null, exposure: Exposure = 'declared') {
    const row = rowOf(submitter, { operationId, exposure });
    const [answer] = await fixture.store.allocate(batchOf([row]));
    return answer as AllocateAnswer;
  }

  async function granted(operationId: string | null, exposure: Exposure = 'declared') {
    const answer = await allocate(operationId, exposure);
    if (answer.kind !== 'granted') throw new Error(JSON.stringify(answer));
    const [allocation] = answer.allocations;
    if (allocation === undefined) throw new Error('an empty grant');
    return allocation;
  }

  async function tell(
    { id }: { readonly id: string },
    command: HolderCommand,
    said: Said = {},
  ): Promise<HolderAnswer> {
    const { txHash = null, nonce = null, followable = true, handle } = said;
    const row = { command, id, submitter: null, nonce: nonce as Nonce | null, txHash };
    const rest = { rawTx: null, note: null, ttlMs: 0, followable };
    const rows = [{ ...row, ...rest }];
    const [answer] = await fixture.store.command(rows, QUARANTINE, handle);
    return answer as HolderAnswer;
  }

  async function passDeadline({ id }: { readonly id: string }): Promise<void> {
    await fixture.database.pool.query(
      `WITH overdue AS (
         UPDATE submitter_nonce_allocation SET deadline = now() - interval '1 s' WHERE id = $1)
       UPDATE submitter_nonce_state SET reclaim_at = now() - interval '1 s' WHERE submitter = $2`,
      [id, submitter],
    );
    await fixture.database.pool.query('SELECT reclaim_expired(100, 0, $1)', ['replacement']);
  }

  it('S4: an operation gets no second nonce while the first is being adopted by its late owner', async () => {
    const [below, first] = [await granted(null), await granted('pay')];
    await tell(first, 'recyclable');
    await tell(below, 'recyclable');
    const runner = fixture.source.createQueryRunner();
    await runner.startTransaction();
    try {
      // The late report is written, its transaction not yet committed.
      const handle = runner.manager;
      const late = await tell(first, 'submitted', { txHash: hashOf(1), handle });
      expect(late.kind).toBe('done');
      expect((await allocate('pay')).kind).toBe('contended');
      await runner.commitTransaction();
    } finally {
      await runner.release();
    }
    expect(noncesOf(await allocate('pay'))).toEqual([first.nonce]);
  });

  it('S4: once its operation has another nonce, a late owner is fenced although its nonce is free', async () => {
    const [below, first] = [await granted(null), await granted('pay')];
    await tell(first, 'recyclable');
    await tell(below, 'recyclable');
    const second = await granted('pay');
    expect(second.nonce).toBe(below.nonce);
    const late = await tell(first, 'intent', { txHash: hashOf(2) });
    expect(late).toMatchObject({ kind: 'refused', code: 'NONCE_FENCED' });
  });

  it('S3: what one of two runs of an operation calls unsent is not reusable, because the other may have sent', async () => {
    const first = await granted('pay', 'inferred');
    const second = await granted('pay', 'inferred');
    expect(second.id).toBe(first.id);
    const answer = await tell(first, 'recyclable');
    expect(answer).toMatchObject({ kind: 'done', allocation: { stage: 'QUARANTINED' } });
    expect(await tell(first, 'recyclable')).toMatchObject({ code: 'NONCE_RECYCLE_UNSAFE' });
    expect(noncesOf(await allocate(null))).not.toEqual([first.nonce]);
  });

  it('S3: a run that may send without an intent takes over a declared allocation with its own exposure', async () => {
    const first = await granted('pay', 'declared');
    const second = await granted('pay', 'assumed');
    expect([second.id, second.exposure]).toEqual([first.id, 'assumed']);
    await passDeadline(first);
    expect(await fixture.store.findById(first.id)).toMatchObject({ stage: 'QUARANTINED' });
  });

  it('two runs that both declare what they send may still give the nonce back', async () => {
    const first = await granted('pay');
    await granted('pay');
    expect(await tell(first, 'recyclable')).toMatchObject({ allocation: { stage: 'REUSABLE' } });
  });

  it("S6: a holder's success without a hash is not followed by the hashes of an earlier holder", async () => {
    const earlier = await granted('first', 'inferred');
    await tell(earlier, 'quarantine');
    await fixture.database.pool.query(
      `UPDATE submitter_nonce_allocation SET hashes = ARRAY[$2], tx_hash = $2, release_at = now()
       WHERE id = $1`,
      [earlier.id, hashOf(7)],
    );
    const later = await granted('second', 'inferred');
    expect(later).toMatchObject({ nonce: earlier.nonce, source: 'replacement', txHash: null });
    expect(later.hashes).toEqual([hashOf(7)]);
    const used = await tell(later, 'used');
    expect(used).toMatchObject({ allocation: { stage: 'ASSERTED', txHash: null } });
  });

  it('S5: success is not confirmed to a holder whose nonce ended by other bytes', async () => {
    const holder = await granted(null);
    await tell(holder, 'intent', { txHash: hashOf(9) });
    await fixture.database.pool.query(
      `UPDATE submitter_nonce_allocation SET stage = 'CONSUMED_EXTERNAL' WHERE id = $1`,
      [holder.id],
    );
    for (const said of [{}, { txHash: hashOf(9) }]) {
      const answer = await tell(holder, 'used', said);
      expect(answer).toMatchObject({ kind: 'refused', code: 'NONCE_ALLOCATION_CLOSED' });
    }
  });

  it('S10: a command that names another nonce than its token holds changes nothing', async () => {
    const holder = await granted(null);
    const answer = await tell(holder, 'intent', { txHash: hashOf(3), nonce: holder.nonce + 1 });
    expect(answer).toMatchObject({ kind: 'refused', code: 'NONCE_FENCED' });
    expect(await fixture.store.findById(holder.id)).toMatchObject({ stage: 'GRANTED' });
  });

  it('L5: a token that was granted twice by a late statement wedges nobody', async () => {
    const [first, second] = [await granted(null), await granted(null)];
    await tell(first, 'recyclable');
    expect((await granted(null)).nonce).toBe(first.nonce);
    await tell(second, 'recyclable');
    // What a statement leaves behind that its client had given up and repeated.
    await fixture.database.pool.query(
      `WITH twice AS (UPDATE allocation_grant SET id = $1 WHERE id = $2) SELECT 1`,
      [second.id, first.id],
    );
    expect((await granted(null)).nonce).toBe(second.nonce);
  });

  it('L9: a nonce that needed a decision and is given back is settled by the next alignment', async () => {
    const holder = await granted(null, 'inferred');
    const align = () =>
      fixture.database.pool.query('SELECT align_submitter($1, 5, 5, NULL, 100)', [submitter]);
    await align();
    await tell(holder, 'recyclable');
    await align();
    expect(await fixture.store.findById(holder.id)).toMatchObject({ stage: 'CONSUMED_EXTERNAL' });
  });

  it('S5: a replaced holder whose transaction is final after all is told so, and the present one is bound anew', async () => {
    const { pool } = fixture.database;
    const early = await granted('A');
    await tell(early, 'intent', { txHash: hashOf(1) });
    await pool.query(
      `UPDATE submitter_nonce_allocation
       SET stage = 'QUARANTINED', release_at = now() - interval '1 s' WHERE id = $1`,
      [early.id],
    );
    const late = await granted('B');
    expect(late).toMatchObject({ nonce: early.nonce, source: 'replacement' });
    expect(await allocate('A')).toMatchObject({ kind: 'refused', code: 'NONCE_OUTCOME_UNKNOWN' });
    await pool.query(
      `UPDATE submitter_nonce_allocation
       SET stage = 'CONSUMED_EXTERNAL', deadline = NULL, proof = 'receipt', tx_hash = $2
       WHERE id = $1`,
      [late.id, hashOf(1)],
    );
    const done = { id: early.id, nonce: early.nonce, stage: 'FINAL', txHash: hashOf(1) };
    const told = { kind: 'granted', replayed: true, allocations: [done] };
    expect(await allocate('A')).toMatchObject(told);
    expect((await granted('B')).nonce).toBe(early.nonce + 1);
    const settled = await pool.query<{ settled: boolean }>(
      'SELECT settle_operation($1, $2) AS settled',
      [submitter, 'A'],
    );
    expect(settled.rows).toEqual([{ settled: true }]);
    expect(await allocate('A')).toMatchObject(told);
  });
});
