import { RedisServer } from '../../../../tools/src/stack/index';
import { AutoPromote } from '../../src/modes/auto-promote';
import { Degrade } from '../../src/modes/degrade';
import { ReturnToFast } from '../../src/modes/return-to-fast';
import { SystemClock } from '../../src/module/system-clock';
import type { Clock } from '../../src/ports/clock.port';
import type { FastAllocateRow } from '../../src/ports/fast-store.port';
import { NO_METRICS } from '../../src/ports/metrics.port';
import { redisOfItsOwn } from '../support/fast-fixture';
import { newSubmitter } from '../support/store-fixture';
import { waitFor } from '../support/wait-for';
import {
  allocateOne,
  openSwitchBench,
  order,
  type SwitchBench,
  type SwitchNode,
} from './switch-bench';

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

interface Watched extends SwitchNode {
  readonly degrade: Degrade;
  readonly back: ReturnToFast;
  /** Ticks the jobs of this process until the test ends. */
  stop(): Promise<void>;
}

const SCALED = {
  onRedisFailure: true,
  probeIntervalMs: 100,
  returnAfterMs: 600,
  maxDwellMs: 5_000,
};

describe('a failing Redis', () => {
  let server: RedisServer;
  let bench: SwitchBench;
  let watched: Watched[] = [];

  beforeEach(async () => {
    server = await RedisServer.start();
    bench = await openSwitchBench('PERFORMANCE', { redis: await redisOfItsOwn(server.url) });
  });
  afterEach(async () => {
    server.resume();
    await Promise.all(watched.map((node) => node.stop()));
    watched = [];
    await bench.close();
    await server.stop();
  });

  async function node(
    settings: Partial<typeof SCALED> = {},
    clock: Clock = new SystemClock(),
  ): Promise<Watched> {
    const options = { ...SCALED, ...settings };
    const opened = await bench.switchNode({ clock, drainDeadlineMs: 500 });
    const deps = { ...opened, mode: opened.view, clock, metrics: NO_METRICS, logger: SILENT };
    const degrade = new Degrade(deps, options);
    const back = new ReturnToFast({ ...deps, random: Math.random }, options);
    const ending = new AbortController();
    const ticking = (async () => {
      while (!ending.signal.aborted) {
        await opened.view.refresh();
        await degrade.tick();
        await back.tick(ending.signal);
        await clock.sleep(20, ending.signal);
      }
    })();
    const stop = async () => {
      ending.abort();
      await ticking;
    };
    const made = { ...opened, degrade, back, stop };
    watched.push(made);
    return made;
  }

  async function rowOf(of: SwitchNode): Promise<FastAllocateRow> {
    const submitter = newSubmitter();
    await of.engine.allocate(allocateOne(submitter));
    const view = await bench.epochs.ruling(submitter);
    if (view === null) throw new Error('no fast epoch');
    const rest = { operationId: null, requestHash: null, ttlMs: 60_000, metadata: null };
    return { view, ids: [crypto.randomUUID()], exposure: 'declared', ...rest };
  }

  async function degradedWithin(one: SwitchNode, ms: number): Promise<number> {
    const begunAtMs = performance.now();
    await waitFor(() => one.view.current().mode === 'DEGRADED', {
      describe: 'the mode is DEGRADED',
      timeoutMs: ms,
      everyMs: 5,
    });
    return performance.now() - begunAtMs;
  }

  it.each([
    ['killed', (redis: RedisServer) => redis.kill()],
    [
      'stopped without closing its connections',
      (redis: RedisServer) => {
        redis.pause();
        return Promise.resolve();
      },
    ],
  ])('is left within 1 s of its first refused call when it is %s', async (_, fail) => {
    const one = await node();
    const row = await rowOf(one);
    await fail(server);
    const failing = one.fast.allocate([row]);
    const tookMs = await degradedWithin(one, 1_000);
    expect(tookMs).toBeLessThan(1_000);
    await expect(failing).resolves.toEqual([
      expect.objectContaining({ code: 'NONCE_STORE_UNAVAILABLE' }),
    ]);
    const [last] = await bench.modes.history(1);
    expect(last).toMatchObject({ from: 'PERFORMANCE', to: 'DEGRADED', automatic: true });
    expect(await bench.modes.read()).toMatchObject({ returnTo: 'PERFORMANCE', dwellMs: 600 });
    await one.breakers.look();
    // Every shard is refused at once now, the ones that nobody had called too.
    const begunAtMs = performance.now();
    const [answer] = await one.fast.allocate([{ ...row, ids: [crypto.randomUUID()] }]);
    expect(answer).toMatchObject({ code: 'NONCE_STORE_UNAVAILABLE', context: { written: 'no' } });
    expect(performance.now() - begunAtMs).toBeLessThan(50);
    expect(one.breakers.open).toHaveLength(64);
  });

  it('is not left for a connection that breaks and comes back', async () => {
    const one = await node();
    const rows = await Promise.all(Array.from({ length: 5 }, () => rowOf(one)));
    const calls = rows.map((row) => one.fast.allocate([row]));
    await bench.redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await Promise.all(calls);
    await waitFor(
      () =>
        one.fast.canary([0]).then(
          () => true,
          () => false,
        ),
      {
        describe: 'the connection is back',
      },
    );
    await one.breakers.look();
    expect(one.breakers.open).toEqual([]);
    expect(one.view.current().mode).toBe('PERFORMANCE');
  });

  it('is gone back to once it was clean for long enough, and the relapse waits twice as long', async () => {
    const one = await node();
    const row = await rowOf(one);
    server.pause();
    await one.fast.allocate([row]);
    await degradedWithin(one, 1_000);
    server.resume();
    const resumedAtMs = performance.now();
    await waitFor(() => one.view.current().mode === 'PERFORMANCE', {
      describe: 'Redis is trusted',
    });
    expect(performance.now() - resumedAtMs).toBeGreaterThanOrEqual(600);
    expect(one.breakers.open).toEqual([]);
    server.pause();
    await one.fast.allocate([{ ...row, ids: [crypto.randomUUID()] }]);
    await degradedWithin(one, 1_000);
    expect(await bench.modes.read()).toMatchObject({ mode: 'DEGRADED', dwellMs: 1_200 });
  });

  it('is not gone back to when an operator chose another mode, whatever it answers', async () => {
    const one = await node();
    await rowOf(one);
    await server.kill();
    await one.breakers.look();
    await degradedWithin(one, 1_000);
    await one.switching.switchTo(order('RELIABLE'));
    await server.restart();
    await waitFor(() => one.breakers.open.length === 0, { describe: 'the breakers are closed' });
    const later = performance.now() + 1_500;
    await waitFor(() => performance.now() > later, { describe: 'time for a return has passed' });
    expect(await bench.modes.read()).toMatchObject({ mode: 'RELIABLE', pinned: true });
  });

  it('refuses and switches nothing where degrading is off, and is used again when it answers', async () => {
    const one = await node({ onRedisFailure: false });
    const row = await rowOf(one);
    server.pause();
    const [answer] = await one.fast.allocate([row]);
    expect(answer).toMatchObject({ code: 'NONCE_STORE_UNAVAILABLE' });
    await waitFor(() => one.breakers.open.length === 64, { describe: 'all breakers are open' });
    server.resume();
    await waitFor(() => one.breakers.open.length === 0, { describe: 'the breakers are closed' });
    expect(await bench.modes.history(5)).toEqual([]);
    const [granted] = await one.fast.allocate([{ ...row, ids: [crypto.randomUUID()] }]);
    expect(granted).toMatchObject({ kind: 'granted' });
  });

  it('causes at most two switches while it flaps at 1 Hz', async () => {
    // A minute, scaled by five: as long in front of the time that it has to be clean.
    const one = await node({ returnAfterMs: 6_000 });
    const row = await rowOf(one);
    const clock = new SystemClock();
    const flapping = new AbortController();
    const load = (async () => {
      while (!flapping.signal.aborted) {
        void one.fast.allocate([{ ...row, ids: [crypto.randomUUID()] }]);
        await clock.sleep(25);
      }
    })();
    for (let second = 0; second < 12; second += 1) {
      await server.kill();
      await clock.sleep(500);
      await server.restart();
      await clock.sleep(500);
    }
    flapping.abort();
    await load;
    const switches = (await bench.modes.history(10)).map(({ to }) => to);
    expect(switches.at(-1)).toBe('DEGRADED');
    expect(switches.length).toBeLessThanOrEqual(2);
  });

  it('I-26: is left and gone back to in time by nodes whose clocks are ten minutes apart', async () => {
    const off = (ms: number): Clock => {
      const clock = new SystemClock();
      return {
        nowMs: () => clock.nowMs() + ms,
        monotonicMs: () => clock.monotonicMs(),
        sleep: (forMs, signal) => clock.sleep(forMs, signal),
      };
    };
    const early = await node({}, off(-600_000));
    const late = await node({}, off(600_000));
    await rowOf(early);
    await server.kill();
    await late.breakers.look();
    await degradedWithin(early, 1_000);
    await server.restart();
    await waitFor(() => early.view.current().mode === 'PERFORMANCE', {
      describe: 'Redis is trusted',
    });
    await waitFor(() => late.view.current().mode === 'PERFORMANCE', { describe: 'on both nodes' });
    const history = await bench.modes.history(5);
    expect(history.map(({ to }) => to)).toEqual(['PERFORMANCE', 'DEGRADED']);
    const { switch: drain } = await late.switching.switchTo(order('DRAIN'));
    expect(await bench.settled()).toMatchObject({ id: drain?.id, state: 'done' });
  });

  it('is left by one switch when both nodes notice', async () => {
    const nodes = [await node(), await node()];
    await server.kill();
    await Promise.all(nodes.map(({ breakers }) => breakers.look()));
    await Promise.all(nodes.map((one) => degradedWithin(one, 1_000)));
    expect(await bench.modes.history(5)).toHaveLength(1);
  });
});

describe('load', () => {
  it('walks from RELIABLE over DUAL_WRITE to PERFORMANCE when the checks pass', async () => {
    const bench = await openSwitchBench('RELIABLE');
    try {
      const one = await bench.switchNode();
      const settings = { enabled: true, allocationsPerSecond: 10, sustainedMs: 1 };
      const deps = { ...one, mode: one.view, clock: new SystemClock(), logger: SILENT };
      const promote = new AutoPromote({ ...deps, load: { busyMs: () => 60_000 } }, settings);
      await waitFor(
        async () => {
          await one.view.refresh();
          await promote.tick();
          return one.view.current().mode === 'PERFORMANCE';
        },
        { describe: 'the load has moved the mode' },
      );
      const history = await bench.modes.history(5);
      expect(history.map(({ to, automatic }) => [to, automatic])).toEqual([
        ['PERFORMANCE', true],
        ['DUAL_WRITE', true],
      ]);
    } finally {
      await bench.close();
    }
  });
});
