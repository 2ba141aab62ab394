import type { EngineMode, LastingMode } from '../../src/domain/engine-mode';
import type { Submitter } from '../../src/domain/submitter';
import type { PerformanceEngine } from '../../src/engines/performance/performance-engine';
import type { PerformanceEngineOptions } from '../../src/engines/performance/performance-options';
import { ReliableEngine } from '../../src/engines/reliable/reliable-engine';
import { SystemClock } from '../../src/module/system-clock';
import type { AllocateCommand } from '../../src/ports/engine.port';
import { NO_METRICS } from '../../src/ports/metrics.port';
import { PostgresFlushStore } from '../../src/postgres/postgres-flush-store';
import { PostgresModeStore } from '../../src/postgres/postgres-mode-store';
import { NonceEngineManager } from '../../src/routing/engine-manager';
import { EngineRoutes } from '../../src/routing/engine-routes';
import { HandOver } from '../../src/routing/hand-over';
import { ModeView } from '../../src/routing/mode-view';
import { TakeOverSubmitters } from '../../src/routing/take-over';
import { contractWorld } from '../../src/testing';
import { ALWAYS_GRANTED } from '../contract/postgres-subject';
import { openFastFixture, type FastFixture } from '../support/fast-fixture';
import { switchTo } from '../support/mode-switches';

const SHARDS = Array.from({ length: 64 }, (_, shard) => shard);
const NO_CHAINS = { all: [], find: () => undefined };
const noop = () => undefined;
const SILENT = { debug: noop, info: noop, warn: noop, error: noop };
const WAIT_MS = 5_000;

/** A process whose view of the mode moves only when something makes it. */
export interface RoutedNode {
  readonly view: ModeView;
  readonly manager: NonceEngineManager;
  readonly performance: PerformanceEngine;
  readonly reliable: ReliableEngine;
  readonly handOver: HandOver;
}

/** `deaf`: takes submitters over without asking Redis what it knows. */
type NodeOptions = Partial<PerformanceEngineOptions> & { readonly deaf?: boolean };

export interface RoutingBench extends FastFixture {
  readonly modes: PostgresModeStore;
  routedNode(options?: NodeOptions): Promise<RoutedNode>;
  /** Records a switch; `told` = the shards are marked too. */
  switchTo(to: EngineMode, told?: boolean): Promise<void>;
}

export function wish(submitter: Submitter, own: Partial<AllocateCommand> = {}): AllocateCommand {
  return { submitter, count: 1, ttlMs: 60_000, exposure: 'declared', ...own };
}

export async function openRoutingBench(mode: LastingMode): Promise<RoutingBench> {
  const world = { ...contractWorld(), maxInFlight: 0, chains: NO_CHAINS };
  const fixture = await openFastFixture({ mode, world });
  const modes = new PostgresModeStore(fixture.runner);
  const nodes: RoutedNode[] = [];
  return {
    ...fixture,
    modes,
    routedNode: async (options = {}) => {
      const node = await openNode(fixture, modes, options);
      nodes.push(node);
      return node;
    },
    switchTo: async (to, told = true) => {
      const { epoch } = await switchTo(modes, to);
      const drain = to === 'DRAIN' || to === 'DEGRADED';
      if (told) await fixture.fast.store.raiseMode({ epoch, drain }, SHARDS);
    },
    close: async () => {
      await Promise.all(
        nodes.flatMap((node) => [node.performance.stop(500), node.reliable.stop(500)]),
      );
      await fixture.close();
    },
  };
}

async function openNode(
  fixture: FastFixture,
  modes: PostgresModeStore,
  { deaf = false, ...options }: NodeOptions,
): Promise<RoutedNode> {
  const clock = new SystemClock();
  const { epochs, store, submitters, world } = fixture;
  const view = await ModeView.open({ store: modes, clock, logger: SILENT });
  const flush = new PostgresFlushStore(fixture.runner);
  const handOver = new HandOver({
    fast: fixture.fast.store,
    apply: (facts) => flush.apply(facts, world.quarantine),
    logger: SILENT,
  });
  const performance = fixture.node(options, { mode: view, handOver });
  const { baseline, chains, quarantine } = world;
  const takeOver = new TakeOverSubmitters({
    ...{ epochs, mode: view },
    handOver: deaf ? null : handOver,
  });
  const reliable = new ReliableEngine(
    {
      ...{ store, submitters, baseline, chains, clock, takeOver },
      ...{ locks: ALWAYS_GRANTED, metrics: NO_METRICS, events: { publish: noop } },
    },
    { maxInFlight: 0, quarantine },
  );
  const engines = { reliable, dualWrite: reliable, performance };
  const manager = new NonceEngineManager({
    routes: new EngineRoutes({ engines, mode: view, clock }, { waitMs: WAIT_MS, degrades: true }),
    switching: null,
    find: (id) => store.findById(id),
    refreshFloor: () => Promise.resolve(),
    checkIntent: () => Promise.resolve(),
    ...{ clock, logger: SILENT },
  });
  return { view, manager, performance, reliable, handOver };
}
