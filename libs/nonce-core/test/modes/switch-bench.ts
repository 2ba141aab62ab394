import { randomBytes } from 'node:crypto';
import type { EngineMode, LastingMode } from '../../src/domain/engine-mode';
import type { Submitter } from '../../src/domain/submitter';
import { FLUSH_DEFAULTS } from '../../src/flush/flush-deps';
import { FlushEvents } from '../../src/flush/flush-events';
import type { PerformanceEngine } from '../../src/engines/performance/performance-engine';
import { DrainFast } from '../../src/modes/drain-fast';
import { GuardedFastStore } from '../../src/modes/guarded-fast-store';
import { Preflight } from '../../src/modes/preflight';
import type { PreflightSources } from '../../src/modes/preflight-sources';
import { RecordSwitch } from '../../src/modes/record-switch';
import { ShardBreakers } from '../../src/modes/shard-breakers';
import { SwitchMode } from '../../src/modes/switch-mode';
import { SwitchRunner } from '../../src/modes/switch-runner';
import { SystemClock } from '../../src/module/system-clock';
import type { Clock } from '../../src/ports/clock.port';
import type { AllocateCommand } from '../../src/ports/engine.port';
import type { FastStore } from '../../src/ports/fast-store.port';
import { NO_METRICS, type Metrics } from '../../src/ports/metrics.port';
import type { ModeSwitch } from '../../src/ports/mode-store.port';
import { PostgresFlushReports } from '../../src/postgres/postgres-flush-reports';
import { PostgresFlushStore } from '../../src/postgres/postgres-flush-store';
import { PostgresModeStore } from '../../src/postgres/postgres-mode-store';
import { FastKeys } from '../../src/redis/fast-keys';
import { RedisEventQueue } from '../../src/redis/redis-event-queue';
import { HandOver } from '../../src/routing/hand-over';
import { ModeView } from '../../src/routing/mode-view';
import { TakeOverSubmitters } from '../../src/routing/take-over';
import {
  openFastFixture,
  type FastFixture,
  type FastFixtureOptions,
} from '../support/fast-fixture';
import { waitFor } from '../support/wait-for';

const SHARDS = 64;
const ALL = Array.from({ length: SHARDS }, (_, shard) => shard);

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Everything that one process has for switching, over real stores. */
export interface SwitchNode {
  readonly name: string;
  readonly view: ModeView;
  readonly fast: FastStore;
  readonly breakers: ShardBreakers;
  readonly drain: DrainFast;
  readonly runner: SwitchRunner;
  readonly recording: RecordSwitch;
  readonly preflight: Preflight;
  readonly switching: SwitchMode;
  readonly flush: FlushEvents;
  readonly phases: string[];
  /** The performance engine of this process, as its mode view has it. */
  readonly engine: PerformanceEngine;
}

export interface NodeOptions {
  readonly sources?: Partial<PreflightSources>;
  readonly drainDeadlineMs?: number;
  readonly clock?: Clock;
  readonly metrics?: Metrics;
}

export interface SwitchBench extends FastFixture {
  readonly modes: PostgresModeStore;
  switchNode(options?: NodeOptions): Promise<SwitchNode>;
  /** Once nothing runs any more. */
  settled(): Promise<ModeSwitch>;
}

export async function openSwitchBench(
  mode: LastingMode,
  options: FastFixtureOptions = {},
): Promise<SwitchBench> {
  const fixture = await openFastFixture({ ...options, mode });
  const modes = new PostgresModeStore(fixture.runner);
  const nodes: SwitchNode[] = [];
  return {
    ...fixture,
    modes,
    switchNode: async (given) => {
      const node = await openNode(fixture, modes, given ?? {});
      nodes.push(node);
      return node;
    },
    settled: () =>
      waitFor(
        async () => {
          const [last] = await modes.history(1);
          return last !== undefined && last.state !== 'running' && last;
        },
        { describe: 'the switch is over', timeoutMs: 20_000 },
      ),
    close: async () => {
      await Promise.all(nodes.flatMap(({ runner, engine }) => [runner.stop(), engine.stop(1_000)]));
      await fixture.close();
    },
  };
}

async function openNode(
  fixture: FastFixture,
  modes: PostgresModeStore,
  options: NodeOptions,
): Promise<SwitchNode> {
  const clock = options.clock ?? new SystemClock();
  const name = `node-${randomBytes(4).toString('hex')}`;
  const { epochs } = fixture;
  const inner = fixture.fast.store;
  const breakers = new ShardBreakers(
    { canary: (shard) => inner.canary([shard]), clock },
    { failures: 3, windowMs: 2_000, shards: SHARDS },
  );
  const fast = new GuardedFastStore(inner, breakers);
  const view = await ModeView.open({ store: modes, clock, logger: SILENT });
  const flushStore = new PostgresFlushStore(fixture.runner);
  const flush = flushOf(fixture, { name, clock, store: flushStore });
  const handOver = new HandOver({
    fast,
    apply: (facts) => flushStore.apply(facts, fixture.world.quarantine),
    logger: SILENT,
  });
  const engine = fixture.node({}, { fast, mode: view, handOver });
  const takeOver = new TakeOverSubmitters({ epochs, mode: view, handOver });
  const drain = new DrainFast(
    {
      flush: flush.drain.bind(flush),
      ...{ fast, epochs, takeOver, store: modes, mode: view, clock, logger: SILENT },
    },
    SHARDS,
  );
  const phases: string[] = [];
  const events = {
    publish: (_: string, payload: unknown) => {
      phases.push((payload as { phase: string }).phase);
    },
  };
  const runner = new SwitchRunner(
    { store: modes, redis: { fast, drain, shards: ALL }, events, clock, logger: SILENT },
    { name, drainDeadlineMs: options.drainDeadlineMs ?? 30_000 },
  );
  const metrics = options.metrics ?? NO_METRICS;
  const recording = new RecordSwitch({
    store: modes,
    view,
    runner,
    redis: { fast, shards: ALL },
    events,
    metrics,
    logger: SILENT,
    clock,
  });
  const preflight = new Preflight({ ...sourcesOf(inner), ...options.sources }, clock);
  const switching = new SwitchMode({ store: modes, preflight, recording, events, clock });
  return {
    name,
    view,
    fast,
    breakers,
    drain,
    runner,
    recording,
    preflight,
    switching,
    flush,
    phases,
    engine,
  };
}

function flushOf(
  { redis, runner, world }: FastFixture,
  parts: { readonly name: string; readonly clock: Clock; readonly store: PostgresFlushStore },
): FlushEvents {
  const { name, clock, store } = parts;
  const keys = new FastKeys({ prefix: redis.prefix });
  return new FlushEvents(
    {
      queue: new RedisEventQueue(redis.client, keys, clock, { consumer: name }),
      ...{ store, clock, metrics: NO_METRICS, logger: SILENT },
      reports: new PostgresFlushReports(runner),
      events: { publish: () => undefined },
    },
    { ...FLUSH_DEFAULTS, worker: name, shards: SHARDS, quarantine: world.quarantine },
  );
}

function sourcesOf(fast: FastStore): PreflightSources {
  return {
    redis: {
      canary: () => fast.canary(ALL),
      settings: () => Promise.resolve({ problems: [], warnings: [] }),
      queued: async () =>
        (await fast.status(ALL)).reduce((sum, { streamLength }) => sum + streamLength, 0),
    },
    continuity: () => ({ isHeld: false, reason: null }),
    flushers: () => Promise.resolve(1),
    mirror: () => Promise.resolve({ inStep: true, detail: 'in step' }),
    databaseProblems: () => Promise.resolve([]),
  };
}

/** An order of the operator `ops`. */
export function order(to: EngineMode, seenEpoch?: number) {
  return { to, actor: 'ops', reason: 'a test', ...(seenEpoch === undefined ? {} : { seenEpoch }) };
}

/** One nonce for a holder that writes its intent before it sends. */
export function allocateOne(submitter: Submitter, count = 1): AllocateCommand {
  return { submitter, count, ttlMs: 60_000, exposure: 'declared' };
}
