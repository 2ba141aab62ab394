import { resolve } from 'node:path';
import type { Submitter } from '../../src/domain/submitter';
import { NodeProcess } from '../support/node-process';
import { newSubmitter } from '../support/store-fixture';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { openTestRedis, type TestRedis } from '../support/test-redis';
import { waitFor } from '../support/wait-for';
import { openModeHost, type ModeHost } from './mode-host';
import type { ModeNodeCommand, ModeNodeMessage, ModeNodeSetting } from './nodes/mode-node';

const SCRIPT = resolve(__dirname, 'nodes/mode-node.ts');

let database: TestDatabase;
let redis: TestRedis;
let host: ModeHost;
let other: NodeProcess<ModeNodeMessage>;
beforeEach(async () => {
  [database, redis] = await Promise.all([openTestDatabase(), openTestRedis()]);
  const setting: ModeNodeSetting = {
    databaseUrl: database.url,
    schema: database.schema,
    redisUrl: redis.url,
    keyPrefix: redis.prefix,
    mode: 'PERFORMANCE',
  };
  other = NodeProcess.start<ModeNodeMessage>(SCRIPT, { parameters: [JSON.stringify(setting)] });
  host = await openModeHost(database, redis, {
    mode: 'PERFORMANCE',
    modes: { drainDeadlineMs: 300 },
  });
  await other.message(({ kind }) => kind === 'ready');
});
afterEach(async () => {
  await other.kill();
  await host.close();
  await Promise.all([database.close(), redis.close()]);
});

function order(command: ModeNodeCommand): void {
  other.send(command);
}

async function fetched(submitter: Submitter): Promise<number> {
  const { rows } = await database.pool.query<{ fetched: string }>(
    'SELECT ceiling - base AS fetched FROM submitter_nonce_state WHERE submitter = $1',
    [submitter],
  );
  return Number(rows[0]?.fetched);
}

describe('another process', () => {
  it('prefetches by sizes that an operator set elsewhere within a second, and the order is audited', async () => {
    await host.store.tunePrefetch({ size: 9, lowWater: 3, max: 9 }, 'ops', 'exhausted at noon');
    const orderedAtMs = performance.now();
    await other.message((each) => each.kind === 'prefetch' && each.size === 9, 'the new size');
    expect(performance.now() - orderedAtMs).toBeLessThan(1_000);
    const submitter = newSubmitter();
    order({ kind: 'allocate', submitter });
    const made = await other.message(({ kind }) => kind === 'allocated');
    expect(made).toMatchObject({ nonce: 0, engine: 'performance' });
    expect(await fetched(submitter)).toBe(9);
    const { rows } = await database.pool.query(
      `SELECT actor, action, reason, detail FROM audit WHERE action LIKE '%prefetch%'`,
    );
    expect(rows).toEqual([expect.objectContaining({ actor: 'ops', reason: 'exhausted at noon' })]);
    expect(JSON.stringify(rows)).toMatch(/"size": ?9/);
  });

  it('S1, S8, S12, L1: finishes a switch within 10 s whose runner was killed between record and drain', async () => {
    const submitters = Array.from({ length: 5 }, () => newSubmitter());
    const held = await Promise.all(submitters.map((each) => host.nonces.allocate(each)));
    order({ kind: 'switch', to: 'RELIABLE', dieAt: 'mirror' });
    await other.message(({ kind }) => kind === 'dies', 'the runner to reach its phase');
    const diedAtMs = performance.now();
    expect(await other.ended).toMatchObject({ signal: 'SIGKILL' });
    const [left] = await host.store.history(1);
    expect(left).toMatchObject({ from: 'PERFORMANCE', to: 'RELIABLE', state: 'running' });
    expect(left!.phases.map(({ phase }) => phase)).not.toContain('drain');
    expect(await host.store.countFastEpochs(10)).toBe(5);
    const done = await waitFor(
      async () => {
        const [last] = await host.store.history(1);
        return last?.state === 'done' && last;
      },
      { describe: 'somebody else to finish the switch', timeoutMs: 10_000 },
    );
    expect(performance.now() - diedAtMs).toBeLessThan(10_000);
    expect(done.id).toBe(left!.id);
    expect(done.phases.map(({ phase }) => phase)).toEqual(
      expect.arrayContaining(['mirror', 'drain']),
    );
    expect(done.phases.every(({ endedAtMs }) => endedAtMs !== null)).toBe(true);
    expect(await host.store.countFastEpochs(10)).toBe(0);
    for (const [i, submitter] of submitters.entries()) {
      const [before] = held[i] ?? [];
      const [next] = await host.nonces.allocate(submitter);
      expect(next).toMatchObject({ nonce: 1, engine: 'reliable' });
      expect(await host.nonces.markUsed(before!)).toMatchObject({ nonce: 0, status: 'USED' });
    }
  });
});
