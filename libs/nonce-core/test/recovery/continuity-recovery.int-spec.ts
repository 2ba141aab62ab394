import type { Epoch } from '../../src/domain/epoch';
import type { Submitter } from '../../src/domain/submitter';
import type { ServerStart, Witness } from '../../src/domain/witness';
import type { WitnessStore } from '../../src/ports/witness.port';
import { batchOf, hashOf, newSubmitter, QUARANTINE, rowOf } from '../support/store-fixture';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { ContinuityNode } from './continuity-node';

const GENESIS = hashOf(9);

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

let submitter: Submitter;
const nodes: ContinuityNode[] = [];
beforeEach(() => {
  submitter = newSubmitter();
});
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
});

async function start(stores: readonly WitnessStore[] = []): Promise<ContinuityNode> {
  const { url, schema } = database;
  const node = await ContinuityNode.start({ url, schema, stores });
  nodes.push(node);
  return node;
}

/** A witness that says more than the database knows: what a restored database is met with. */
function remembering(...witnesses: Witness[]): WitnessStore {
  return {
    name: 'test',
    keep: () => Promise.resolve('kept'),
    read: () => Promise.resolve({ server: null, witnesses }),
  };
}

const witnessOf = (epoch: number, ceiling: number): Witness => ({
  submitter,
  epoch: epoch as Epoch,
  ceiling,
});

async function stateOf(): Promise<Record<string, unknown>> {
  const { rows } = await database.pool.query<Record<string, unknown>>(
    `SELECT epoch::int, base::int, next_local_nonce::int AS next, ceiling::int,
       recovery_epoch::int, recovery_since IS NOT NULL AS recovering
     FROM submitter_nonce_state WHERE submitter = $1`,
    [submitter],
  );
  return rows[0] ?? {};
}

async function stagesOf(): Promise<readonly string[]> {
  const { rows } = await database.pool.query<{ stage: string }>(
    `SELECT stage FROM submitter_nonce_allocation WHERE submitter = $1 ORDER BY nonce`,
    [submitter],
  );
  return rows.map((row) => row.stage);
}

describe('a submitter that is behind its witness', () => {
  it('gets an epoch above it, its ceiling, and everything short of intent in quarantine', async () => {
    const before = await start();
    const grants = await before.issueMany(submitter, 3);
    await before.intent(grants[0] as never);
    await before.command('recyclable', grants[1] as never);
    const node = await start([remembering(witnessOf(7, 12))]);
    expect(await stateOf()).toEqual({
      epoch: 8,
      base: 12,
      next: 12,
      ceiling: 12,
      recovery_epoch: 8,
      recovering: true,
    });
    expect(await stagesOf()).toEqual(['INTENT', ...Array<string>(11).fill('QUARANTINED')]);
    expect(node.events).toEqual([{ name: 'recovery.entered', submitter }]);
  });

  it('fences every holder of the time before, and lets intents stand', async () => {
    const before = await start();
    const [sent, held, unknown] = await before.issueMany(submitter, 3);
    if (sent === undefined || held === undefined || unknown === undefined) throw new Error();
    await before.intent(sent);
    await before.epochs.record([{ grants: [held], requestHash: null }]);
    await start([remembering(witnessOf(7, 12))]);
    for (const grant of [held, unknown]) {
      expect(await before.intent(grant)).toMatchObject({ code: 'NONCE_FENCED' });
      expect((await before.command('recyclable', grant)).kind).toBe('refused');
    }
    expect(await before.intent(sent)).toMatchObject({ kind: 'done', changed: false });
  });

  it('binds no operation anew whose nonce it may have forgotten', async () => {
    const before = await start();
    const grant = await before.issue(submitter, 'operation-a');
    const record = { grants: [grant], requestHash: null };
    await before.epochs.record([record]);
    const node = await start([remembering(witnessOf(7, 12))]);
    const again = await node.issue(submitter, 'operation-a');
    const [answer] = await node.epochs.record([{ grants: [again], requestHash: null }]);
    expect(answer).toMatchObject({ kind: 'refused', code: 'NONCE_OUTCOME_UNKNOWN' });
  });

  it('leaves what the chain consumed to a decision: nothing is unbound by count', async () => {
    const before = await start();
    const grant = await before.issue(submitter);
    await before.epochs.record([{ grants: [grant], requestHash: null }]);
    const node = await start([remembering(witnessOf(7, 12))]);
    await node.alignment.align({
      submitter,
      latestCount: 5,
      finalizedCount: 5,
      genesisHash: GENESIS,
    });
    expect(await stagesOf()).toEqual(Array<string>(12).fill('QUARANTINED'));
    const { rows } = await database.pool.query(
      `SELECT 1 FROM submitter_nonce_allocation WHERE submitter = $1 AND stuck_since IS NOT NULL`,
      [submitter],
    );
    expect(rows).toHaveLength(5);
  });

  it('is recovered once, whoever notices it and however often (K11)', async () => {
    const before = await start();
    await before.issueMany(submitter, 3);
    const many = await Promise.all(
      Array.from({ length: 4 }, () => start([remembering(witnessOf(7, 12))])),
    );
    await start([remembering(witnessOf(7, 12))]);
    expect(await stateOf()).toMatchObject({ epoch: 8, ceiling: 12 });
    expect(many.flatMap((node) => node.events)).toEqual([{ name: 'recovery.entered', submitter }]);
  });

  it('is recovered to its end when the first attempt was cut off (K11)', async () => {
    const before = await start();
    await before.issueMany(submitter, 3);
    const request = { started: await startOf(before), submitters: [submitter] };
    await before.runner.run(before.runner.statements.recoverSubmitters, {
      ...request,
      epochs: [7],
      ceilings: [12],
      lostAt: null,
      reason: 'cut off',
      quarantineMs: QUARANTINE.ms,
      release: QUARANTINE.release,
      rowLimit: 4,
    });
    expect(await stagesOf()).toHaveLength(4);
    const node = await start();
    expect(node.events).toEqual([]);
    expect(await stagesOf()).toEqual(Array<string>(12).fill('QUARANTINED'));
    expect(await stateOf()).toMatchObject({ epoch: 8, ceiling: 12 });
  });

  it('leaves recovery when nothing of it is open any more', async () => {
    const before = await start();
    await before.issueMany(submitter, 1);
    const node = await start([remembering(witnessOf(7, 2))]);
    await node.open.watch.tick();
    expect(await stateOf()).toMatchObject({ recovering: true, ceiling: 8 });
    const ripe = 'UPDATE submitter_nonce_allocation SET release_at = now() WHERE submitter = $1';
    await database.pool.query(ripe, [submitter]);
    const reliable = "UPDATE submitter_nonce_state SET engine = 'reliable' WHERE submitter = $1";
    await database.pool.query(reliable, [submitter]);

    const rows = Array.from({ length: 8 }, () => rowOf(submitter));
    const answers = await node.allocations.allocate(batchOf(rows));
    const granted = answers.flatMap((one) => (one.kind === 'granted' ? one.allocations : []));
    expect(granted.map(({ nonce }) => nonce)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(new Set(granted.map(({ source }) => source))).toEqual(new Set(['replacement']));
    await node.open.watch.tick();
    expect(await stateOf()).toMatchObject({ recovering: false });
    expect(node.events).toContainEqual({ name: 'recovery.left', submitter });
  });

  it('leaves recovery by an operator, once and audited', async () => {
    const before = await start();
    await before.issueMany(submitter, 1);
    const node = await start([remembering(witnessOf(7, 2))]);
    const word = { actor: 'operator', reason: 'looked at' };
    expect(await node.open.watch.leave(submitter, word)).toBe(true);
    expect(await node.open.watch.leave(submitter, word)).toBe(false);
    expect(node.events).toContainEqual({ name: 'recovery.left', submitter });
    const { rows } = await database.pool.query(
      `SELECT actor, action FROM audit WHERE subject = $1`,
      [submitter],
    );
    expect(rows).toEqual([{ actor: 'operator', action: 'recovery.leave' }]);
  });
});

async function startOf(node: ContinuityNode): Promise<string> {
  const facts = await node.continuityStore.facts();
  return facts.server.startedAt;
}

describe('a raised ceiling', () => {
  const failing = (name: string): WitnessStore => ({
    name,
    keep: () => Promise.reject(new Error('away')),
    read: () => Promise.resolve(null),
  });

  it('is not used when no witness keeps it', async () => {
    const node = await start([failing('one'), failing('other')]);
    await expect(node.issue(submitter)).rejects.toMatchObject({
      code: 'NONCE_STORE_UNAVAILABLE',
      context: { store: 'witness' },
    });
  });

  it('is used when one of the witnesses keeps it', async () => {
    const node = await start([failing('one'), remembering()]);
    expect((await node.issue(submitter)).nonce).toBe(0);
  });

  it('is told again in full to a witness that forgot', async () => {
    const told: Witness[][] = [];
    const forgetful: WitnessStore = {
      name: 'forgetful',
      keep: (_: ServerStart, witnesses) => {
        told.push([...witnesses]);
        return Promise.resolve('forgetful');
      },
      read: () => Promise.resolve({ server: null, witnesses: [] }),
    };
    const node = await start([forgetful]);
    await node.issue(submitter);
    told.length = 0;
    await node.open.watch.tick();
    expect(told.flat()).toContainEqual(expect.objectContaining({ submitter }));
  });

  it('is refused when the database went back while its server ran on', async () => {
    const node = await start([remembering()]);
    await node.issueMany(submitter, 20);
    await node.open.continuity.keep([witnessOf(40, 400)]);
    await expect(node.enter(submitter)).rejects.toMatchObject({ code: 'NONCE_STORE_UNAVAILABLE' });
    expect(node.events).toContainEqual({ name: 'recovery.entered', submitter });
    expect((await node.enter(submitter)).next).toBeGreaterThanOrEqual(400);
  });
});
