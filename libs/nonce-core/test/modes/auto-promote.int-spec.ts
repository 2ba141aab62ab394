import type { NonceModuleOptions } from '../../src/module/options';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { openTestRedis, type TestRedis } from '../support/test-redis';
import { waitFor } from '../support/wait-for';
import { openModeHost, type ModeHost } from './mode-host';
import { SteadyLoad } from './steady-load';

const CALLERS = 4;
/** Far below what four callers reach even on a busy machine. */
const PER_SECOND = 20;
const SUSTAINED_MS = 1_000;
/** The first promotion is decided after two looks at a load of one second. */
const WATCHED_MS = 3_500;
const AUTO = { enabled: true, allocationsPerSecond: PER_SECOND, sustainedMs: SUSTAINED_MS };

let database: TestDatabase;
let redis: TestRedis;
let host: ModeHost;
let load: SteadyLoad | undefined;
beforeEach(async () => {
  [database, redis] = await Promise.all([openTestDatabase(), openTestRedis()]);
});
afterEach(async () => {
  await load?.stop();
  load = undefined;
  await host.close();
  await Promise.all([database.close(), redis.close()]);
});

async function open(options: Partial<NonceModuleOptions>): Promise<ModeHost> {
  host = await openModeHost(database, redis, { mode: 'RELIABLE', ...options });
  return host;
}

/** Load that asks for promotion, for as long as one would have been decided twice. */
async function loadForLong(): Promise<SteadyLoad> {
  const running = (load = new SteadyLoad(host.nonces, CALLERS));
  const endMs = performance.now() + WATCHED_MS;
  const wanted = (2 * PER_SECOND * WATCHED_MS) / 1_000;
  await waitFor(() => performance.now() > endMs && running.served > wanted, {
    describe: 'twice the load that asks for promotion',
  });
  await running.stop();
  expect(running.failures).toEqual([]);
  return running;
}

describe('autoPromote of a host under load', () => {
  it('S1, L1: walks from RELIABLE over DUAL_WRITE to PERFORMANCE by itself, audited as automatic', async () => {
    await open({ autoPromote: AUTO });
    const running = (load = new SteadyLoad(host.nonces, CALLERS));
    await waitFor(() => host.mode.current().mode === 'PERFORMANCE', {
      describe: 'the load has moved the mode',
      timeoutMs: 20_000,
    });
    const before = running.served;
    await waitFor(() => running.served > before + 100, { describe: 'Redis serves' });
    await running.stop();
    const walked = [...(await host.store.history(10))].reverse();
    expect(walked).toMatchObject([
      { from: 'RELIABLE', to: 'DUAL_WRITE', automatic: true, actor: 'noncekit' },
      { from: 'DUAL_WRITE', to: 'PERFORMANCE', automatic: true, actor: 'noncekit' },
    ]);
    expect(walked.map(({ reason }) => reason)).toEqual(
      Array.from({ length: 2 }, () => expect.stringMatching(/^20 allocations per second for \d/)),
    );
    const [first, second] = walked;
    expect(second!.startedAtMs - first!.startedAtMs).toBeGreaterThanOrEqual(SUSTAINED_MS);
    const { rows } = await database.pool.query(
      `SELECT actor, subject, detail->>'automatic' AS automatic FROM audit
        WHERE action = 'mode.switch' ORDER BY at`,
    );
    expect(rows).toEqual([
      { actor: 'noncekit', subject: 'DUAL_WRITE', automatic: 'true' },
      { actor: 'noncekit', subject: 'PERFORMANCE', automatic: 'true' },
    ]);
    expect(running.failures).toEqual([]);
    expect(running.broken).toEqual([]);
  });

  it('is off by default: the same load changes nothing', async () => {
    await open({});
    await loadForLong();
    expect(await host.store.history(10)).toEqual([]);
    expect(await host.store.read()).toMatchObject({ mode: 'RELIABLE', epoch: 1 });
  });

  it('leaves alone what an operator has pinned', async () => {
    await open({ autoPromote: AUTO });
    await host.switchTo('DUAL_WRITE');
    const { switch: kept } = await host.switchTo('RELIABLE');
    await loadForLong();
    expect((await host.store.history(1))[0]).toMatchObject({ id: kept?.id, automatic: false });
    expect(await host.store.read()).toMatchObject({ mode: 'RELIABLE', pinned: true });
  });
});
