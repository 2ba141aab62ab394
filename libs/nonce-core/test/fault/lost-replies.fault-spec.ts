import type { Submitter } from '../../src/domain/submitter';
import {
  baselineOf,
  hashOf,
  newSubmitter,
  openStore,
  type StoreFixture,
} from '../support/store-fixture';
import { CuttingProxy } from './cutting-proxy';
import { expectPartition, readLedger } from './ledger';
import { openNode, type OpenNode } from './nodes/open-node';

const ALLOCATE = /allocate[-_]batch/i;
const COMMAND = /command[-_]batch/i;
/** More than any number of tries. */
const ALL = 1_000;
const DECLARED = { exposure: 'declared' } as const;

let fixture: StoreFixture;
let proxy: CuttingProxy;
let node: OpenNode;

beforeAll(async () => {
  fixture = await openStore(null);
  const { url, schema } = fixture.database;
  proxy = await CuttingProxy.start(url);
  // Statements are told apart by their text, which prepared ones carry only once.
  node = await openNode({ databaseUrl: proxy.through(url), schema, preparedStatements: false });
});
afterAll(async () => {
  await node.close();
  await proxy.close();
  await fixture.close();
});
afterEach(() => {
  proxy.loseReplies(ALLOCATE, 0);
});

async function openSubmitter(): Promise<Submitter> {
  const submitter = newSubmitter();
  await fixture.store.open(baselineOf(submitter));
  return submitter;
}

const ledgerOf = (submitter: Submitter) => readLedger(fixture.database.pool, submitter);

/** How often a reply was lost while something ran. */
async function losses<T>(run: () => Promise<T>): Promise<[T, number]> {
  const before = proxy.lost;
  const result = await run();
  return [result, proxy.lost - before];
}

describe('K1: the reply of a committed allocation is lost', () => {
  it.each([1, 2, 3])(
    'the engine asks again and answers with the same nonce, %d losses in a row',
    async (count) => {
      const submitter = await openSubmitter();
      proxy.loseReplies(ALLOCATE, count);
      const [[allocation], lost] = await losses(() => node.nonces.allocate(submitter));
      expect(lost).toBe(count);
      const ledger = await ledgerOf(submitter);
      expectPartition(ledger);
      expect([ledger.next, ledger.rows[0]?.id]).toEqual([1, allocation?.id]);
      expect(allocation?.nonce).toBe(0);
    },
  );

  it('also for a block, and for many callers of one statement', async () => {
    const submitter = await openSubmitter();
    proxy.loseReplies(ALLOCATE, 1);
    const blocks = [1, 3, 1, 8, 1].map((count) => node.nonces.allocate(submitter, { count }));
    const granted = (await Promise.all(blocks)).flat();
    const ledger = await ledgerOf(submitter);
    expectPartition(ledger);
    expect(ledger.next).toBe(14);
    expect(granted.map((each) => each.id).sort()).toEqual(ledger.rows.map((row) => row.id).sort());
  });

  it('a caller that is told nothing gets the same nonce when it comes back with its operation', async () => {
    const submitter = await openSubmitter();
    proxy.loseReplies(ALLOCATE, ALL);
    const refused = node.nonces.allocate(submitter, { operationId: 'payment' });
    await expect(refused).rejects.toMatchObject({ code: 'NONCE_STORE_UNAVAILABLE' });
    proxy.loseReplies(ALLOCATE, 0);
    const { rows } = await ledgerOf(submitter);
    const [back] = await node.nonces.allocate(submitter, { operationId: 'payment' });
    expect([back?.nonce, back?.id]).toEqual([0, rows[0]?.id]);
    expect((await ledgerOf(submitter)).next).toBe(1);
  });
});

describe('the reply of a committed command is lost', () => {
  it('H-8: an intent is asked for again with the same hash, and counts once', async () => {
    const submitter = await openSubmitter();
    proxy.loseReplies(COMMAND, 2);
    const { nonce } = await node.nonces.execute(
      submitter,
      (ctx) => ctx.intent({ txHash: hashOf(1) }),
      DECLARED,
    );
    expect(nonce).toBe(0);
    expect((await ledgerOf(submitter)).rows[0]).toMatchObject({ hashes: [hashOf(1)] });
  });

  it('H-8: an intent nobody heard of is an unknown outcome; its operation keeps nonce 5, never 6', async () => {
    const submitter = await openSubmitter();
    const used = await node.nonces.allocate(submitter, { count: 5 });
    for (const each of used) await node.nonces.markUsed(each);
    const operation = { ...DECLARED, operationId: 'payment' };
    let sent = 0;
    proxy.loseReplies(COMMAND, ALL);
    const work = node.nonces.withNonce(
      submitter,
      async (ctx) => {
        await ctx.intent({ txHash: hashOf(5) });
        sent += 1;
      },
      operation,
    );
    await expect(work).rejects.toMatchObject({
      code: 'NONCE_OUTCOME_UNKNOWN',
      context: { nonce: 5, hashes: [hashOf(5)] },
    });
    proxy.loseReplies(COMMAND, 0);
    expect(sent).toBe(0);
    // While its bytes may be sent again, its operation gets no other nonce, and nobody gets this one.
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const again = node.nonces.withNonce(submitter, async (ctx) => ctx.nonce, operation);
      await expect(again).rejects.toMatchObject({
        code: 'NONCE_OUTCOME_UNKNOWN',
        context: { nonce: 5 },
      });
    }
    const [other] = await node.nonces.allocate(submitter);
    expect(other?.nonce).toBe(6);
    const ledger = await ledgerOf(submitter);
    expectPartition(ledger);
    expect(ledger.rows[5]).toMatchObject({ stage: 'INTENT', operationId: 'payment' });
    expect(ledger.rows[6]).toMatchObject({ operationId: null });
  });

  it('I-03: a success whose record was lost is recorded once, and the work is not run again', async () => {
    const submitter = await openSubmitter();
    let runs = 0;
    const operation = { ...DECLARED, operationId: 'payment' };
    proxy.loseReplies(COMMAND, 3);
    const run = async (): Promise<number> => {
      runs += 1;
      return runs;
    };
    await node.nonces.withNonce(submitter, run, operation);
    await node.nonces.withNonce(submitter, run, operation);
    expect(runs).toBe(1);
    expect((await ledgerOf(submitter)).rows[0]?.stage).toBe('ASSERTED');
  });

  it('I-34: a release whose reply was lost frees the nonce once, not under its next holder', async () => {
    const submitter = await openSubmitter();
    const [first] = await node.nonces.allocate(submitter);
    if (first === undefined) throw new Error('nothing granted');
    proxy.loseReplies(COMMAND, ALL);
    const release = node.nonces.markRecyclable(first, { reason: 'not needed' });
    await expect(release).rejects.toMatchObject({ code: 'NONCE_STORE_UNAVAILABLE' });
    proxy.loseReplies(COMMAND, 0);
    const [second] = await node.nonces.allocate(submitter);
    expect(second).toMatchObject({ nonce: 0, source: 'recycled' });
    const again = node.nonces.markRecyclable(first, { reason: 'not needed' });
    await expect(again).rejects.toMatchObject({ code: 'NONCE_FENCED' });
    expect((await ledgerOf(submitter)).rows[0]).toMatchObject({ id: second?.id, stage: 'GRANTED' });
  });
});
