import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Submitter } from '../../src/domain/submitter';
import type { HolderRow } from '../../src/ports/allocation-store.port';
import type { FastGrant } from '../../src/ports/fast-store.port';
import type { WitnessStore } from '../../src/ports/witness.port';
import { RedisWitness } from '../../src/redis/redis-witness';
import { WitnessFile } from '../../src/witness/witness-file';
import { hashOf, newSubmitter, QUARANTINE } from '../support/store-fixture';
import { openTestRedis, redisPrefix, type TestRedis } from '../support/test-redis';
import { ContinuityNode, type NodeOptions } from './continuity-node';
import { RestorablePostgres } from './restorable-postgres';

let postgres: RestorablePostgres;
let redis: TestRedis;
beforeAll(async () => {
  redis = await openTestRedis();
  postgres = await RestorablePostgres.start();
});
afterAll(async () => {
  await postgres.close();
  await redis.close();
});

let folder: string;
let submitter: Submitter;
const nodes: ContinuityNode[] = [];
const files: WitnessFile[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'witness-'));
  submitter = newSubmitter();
  // The tests before left this server at some state, and no witness of it.
  const node = await start([]);
  await node.open.watch.confirm({ actor: 'test', reason: 'a new test begins', intact: true });
});
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
  await Promise.all(files.splice(0).map((file) => file.close()));
  await rm(folder, { recursive: true, force: true });
});

async function start(stores: readonly WitnessStore[], options: Partial<NodeOptions> = {}) {
  const { url, schema } = postgres;
  const node = await ContinuityNode.start({ url, schema, stores, ...options });
  nodes.push(node);
  return node;
}

function file(): WitnessFile {
  const opened = new WitnessFile(folder);
  files.push(opened);
  return opened;
}

function inRedis(keyPrefix = `${redis.prefix}:${redisPrefix()}`): () => RedisWitness {
  const options = { keyPrefix, shards: 4, shardOf: () => 1 };
  return () => new RedisWitness(redis.client, options);
}

const noncesOf = (grants: readonly FastGrant[]): number[] => grants.map(({ nonce }) => nonce);

function rowOf(
  command: 'intent' | 'submitted',
  { id, submitter: of, nonce }: FastGrant,
): HolderRow {
  const row = { command, id, submitter: of, nonce, txHash: hashOf(1), rawTx: null, note: null };
  return { ...row, ttlMs: 60_000, followable: true };
}

/** S8: nothing that was issued before is issued again as a fresh nonce. */
function expectDisjoint(before: readonly FastGrant[], after: readonly FastGrant[]): void {
  const known = new Set(noncesOf(before));
  expect(noncesOf(after).filter((nonce) => known.has(nonce))).toEqual([]);
}

describe('a database that was put back to an older state', () => {
  it.each([
    ['a file of the node', () => [file()]],
    ['Redis', () => [inRedis()()]],
  ])(
    'is noticed by %s before its first grant, over the same pool (H-9, S8)',
    async (_, witnesses) => {
      const node = await start(witnesses());
      const early = await node.issueMany(submitter, 3);
      await postgres.save();
      const lost = await node.issueMany(submitter, 20);
      for (const grant of lost.slice(0, 10)) await node.intent(grant);
      await postgres.restore();

      const late = await node.issueMany(submitter, 20);
      expectDisjoint([...early, ...lost], late);
      expect(node.events).toContainEqual({ name: 'recovery.entered', submitter });
      expect(node.losses).not.toEqual([]);
      const { recoveries } = await node.open.watch.state();
      expect(recoveries.items).toContainEqual(
        expect.objectContaining({ submitter, finished: true }),
      );
    },
  );

  it('is noticed by a node that knows it only from what others kept (S8)', async () => {
    const shared = inRedis();
    const first = await start([shared()]);
    const before = [...(await first.issueMany(submitter, 3))];
    await postgres.save();
    before.push(...(await first.issueMany(submitter, 20)));
    await first.stop();
    await postgres.restore();

    const second = await start([shared(), file()]);
    expectDisjoint(before, await second.issueMany(submitter, 20));
  });

  it('issues nonces twice where nothing witnesses it: the guard is needed (S8)', async () => {
    const first = await start([], { guarded: false });
    const before = [...(await first.issueMany(submitter, 3))];
    await postgres.save();
    before.push(...(await first.issueMany(submitter, 20)));
    await first.stop();
    await postgres.restore();

    const second = await start([], { guarded: false });
    const after = noncesOf(await second.issueMany(submitter, 20));
    const twice = noncesOf(before).filter((nonce) => after.includes(nonce));
    expect(twice.length).toBeGreaterThan(0);
  });

  it('issues nothing without any witness until an operator vouches for it (H-10)', async () => {
    const first = await start([file()]);
    const [held, known] = [await first.issue(submitter), await first.issue(submitter)];
    await first.intent(known, hashOf(1));
    await postgres.save();
    await first.issueMany(submitter, 20);
    await first.stop();
    await rm(folder, { recursive: true });
    await postgres.restore();

    const second = await start([file()]);
    expect(second.open.continuity.view()).toMatchObject({ status: 'held' });
    await expect(second.issue(submitter)).rejects.toMatchObject({ code: 'NONCE_RECOVERY_HOLD' });
    await expect(second.intent(held)).rejects.toMatchObject({ code: 'NONCE_RECOVERY_HOLD' });
    // What was sent before may still be said, also beside intents that are refused.
    const rows = [rowOf('intent', held), rowOf('submitted', known)];
    expect(await second.allocations.command(rows, QUARANTINE)).toMatchObject([
      { kind: 'refused', code: 'NONCE_RECOVERY_HOLD' },
      { kind: 'done', allocation: { stage: 'BROADCAST' } },
    ]);

    const word = { actor: 'operator', reason: 'the chain was compared' };
    expect(await second.open.watch.confirm(word)).toBe(true);
    expect(await second.open.watch.confirm(word)).toBe(false);
    await second.issue(submitter);
    // Another node finds the word of the first.
    const third = await start([]);
    expect(third.open.continuity.view()).toMatchObject({ status: 'trusted' });
  });

  it.each([1, 7, 40])(
    'issues nothing clean again once it is confirmed without a witness, %i grants later (H-10, S8)',
    async (since) => {
      const first = await start([file()]);
      const early = await first.issueMany(submitter, 3);
      await first.intent(early[0] as FastGrant);
      await postgres.save();
      const lost = await first.issueMany(submitter, since);
      for (const grant of lost) await first.intent(grant);
      await first.stop();
      await rm(folder, { recursive: true });
      await postgres.restore();

      const second = await start([file()]);
      const word = { actor: 'operator', reason: 'the newest that was left' };
      expect(await second.open.watch.confirm(word)).toBe(true);
      expectDisjoint([...early, ...lost], await second.issueMany(submitter, 40));
      for (const grant of lost) {
        expect(await second.intent(grant)).toMatchObject({ kind: 'refused', code: 'NONCE_FENCED' });
      }
      expect((await second.intent(early[0] as FastGrant)).kind).toBe('done');
    },
  );

  it('issues nonces twice where it is vouched for as intact and is not: the quarantine is needed', async () => {
    const first = await start([file()]);
    const before = [...(await first.issueMany(submitter, 3))];
    await postgres.save();
    before.push(...(await first.issueMany(submitter, 20)));
    await first.stop();
    await rm(folder, { recursive: true });
    await postgres.restore();

    const second = await start([file()]);
    await second.open.watch.confirm({ actor: 'operator', reason: 'a mistake', intact: true });
    const after = noncesOf(await second.issueMany(submitter, 20));
    expect(noncesOf(before).filter((nonce) => after.includes(nonce))).not.toEqual([]);
  });

  it('is noticed where epoch and ceiling stayed and only intents were lost', async () => {
    const node = await start([file()]);
    const [kept, ...grants] = await node.issueMany(submitter, 8);
    if (kept === undefined) throw new Error('no grant');
    await node.intent(kept);
    await postgres.save();
    for (const grant of grants) await node.intent(grant);
    await node.open.watch.tick();
    await postgres.restore();

    await node.open.watch.tick();
    expect(node.events).toContainEqual({ name: 'recovery.entered', submitter });
    expect((await node.intent(kept)).kind).toBe('done');
    for (const grant of grants) {
      expect(await node.intent(grant)).toMatchObject({ kind: 'refused', code: 'NONCE_FENCED' });
    }
  });

  it('knows a submitter again that was first used after the saved state', async () => {
    const node = await start([file()]);
    await postgres.save();
    const lost = await node.issueMany(submitter, 12);
    await postgres.restore();
    expectDisjoint(lost, await node.issueMany(submitter, 12));
    expect((await node.intent(lost[0] as FastGrant)).kind).toBe('refused');
  });
});

describe('a database that only stopped', () => {
  it.each([
    ['was stopped', () => postgres.server.restart()],
    [
      'was killed',
      async () => {
        await postgres.server.kill();
        await postgres.server.restart();
      },
    ],
  ])('goes on with everything in hand when it %s', async (_, interrupt) => {
    const node = await start([file()]);
    const grants = await node.issueMany(submitter, 6);
    await node.intent(grants[0] as FastGrant);
    await node.open.watch.tick();
    await interrupt();
    expect((await node.intent(grants[1] as FastGrant)).kind).toBe('done');
    await node.open.watch.tick();
    expect((await node.intent(grants[2] as FastGrant)).kind).toBe('done');
    expect(node.events).toEqual([]);
    expect(node.open.continuity.view()).toMatchObject({ status: 'trusted' });
    const after = await node.issueMany(submitter, 12);
    expectDisjoint(grants, after);
  });
});
