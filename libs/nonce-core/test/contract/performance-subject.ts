import type { Allocation } from '../../src/domain/allocation';
import type { Submitter } from '../../src/domain/submitter';
import type { PerformanceEngine } from '../../src/engines/performance/performance-engine';
import type { AllocateCommand, NonceEngine } from '../../src/ports/engine.port';
import type { IntentPolicy } from '../../src/ports/fast-epoch-store.port';
import { PostgresSubmitterStore } from '../../src/postgres/postgres-submitter-store';
import { contractWorld, type ContractSubject, type ContractWorld } from '../../src/testing';
import { openFastFixture, type FastFixture } from '../support/fast-fixture';
import { handsOn } from './postgres-subject';

/**
 * The performance engine on a database and a part of a Redis of its own. The hands move both
 * stores as time, trackers and the flush do.
 */
export async function performanceSubject(intents: IntentPolicy): Promise<ContractSubject> {
  // Under relaxed half of a window is what may be issued: the suite's windows are that half.
  const windows = intents === 'relaxed' ? 2 : 1;
  const world = widened(contractWorld(), windows);
  const fixture = await openFastFixture({ world, engine: { intents } });
  const hands = new Hands(fixture);
  const engines: PerformanceEngine[] = [];
  const start = async (): Promise<NonceEngine> => {
    const engine = fixture.node();
    engines.push(engine);
    return hands.beforeAllocations(engine);
  };
  const engine = await start();
  const limitsChanged = (submitter: Submitter) =>
    (engines[0] as PerformanceEngine).refreshLimits(submitter);
  const { setWindow, chainCount, moveTo } = handsOn(fixture);
  const reader = new PostgresSubmitterStore(fixture.runner);
  return {
    engine,
    secondNode: start,
    expire: (allocation) => hands.expire(allocation),
    rows: async (submitter) => {
      await fixture.flush(submitter);
      return reader.nonces({ submitter, limit: 10_000 });
    },
    moveTo: async (allocation, stage) => {
      await fixture.flush(allocation.submitter);
      await fixture.tell('park', allocation);
      await moveTo(allocation, stage);
    },
    chainCount: async (submitter, count) => {
      await chainCount(submitter, count);
      await limitsChanged(submitter);
    },
    setWindow: async (submitter, maxInFlight) => {
      await setWindow(submitter, maxInFlight * windows);
      await limitsChanged(submitter);
    },
    setPaused: async (submitter, paused) => {
      await reader.setPaused(submitter, paused, 'asked by a test');
      await limitsChanged(submitter);
    },
    close: async () => {
      await Promise.all(engines.map((each) => each.stop(5_000)));
      await fixture.close();
    },
  };
}

/** What passes with time: deadlines, and what looks after them. */
class Hands {
  private readonly overdue = new Set<Submitter>();
  private readonly inPostgres: Pick<ContractSubject, 'expire'>;

  constructor(private readonly fixture: FastFixture) {
    this.inPostgres = handsOn(fixture);
  }

  async expire(allocation: Allocation): Promise<void> {
    await this.inPostgres.expire(allocation);
    await this.fixture.expireInRedis(allocation);
    this.overdue.add(allocation.submitter);
  }

  /** Until the next allocation a late holder may come; by then the periodic work has been done. */
  beforeAllocations(engine: PerformanceEngine): NonceEngine {
    const allocate = async (command: AllocateCommand) => {
      if (this.overdue.delete(command.submitter)) await this.lookAfter(engine, command.submitter);
      return engine.allocate(command);
    };
    return new Proxy<NonceEngine>(engine, {
      get: (target, name) => {
        if (name === 'allocate') return allocate;
        const value = Reflect.get(target, name) as unknown;
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }

  private async lookAfter(engine: PerformanceEngine, submitter: Submitter): Promise<void> {
    await engine.reclaimExpired(1_000);
    await this.fixture.flush(submitter);
    await engine.loadFree(1_000);
  }
}

function widened(world: ContractWorld, by: number): ContractWorld {
  const widen = <Chain extends ContractWorld['chains']['all'][number]>(chain: Chain): Chain => ({
    ...chain,
    profile: { ...chain.profile, maxInFlight: chain.profile.maxInFlight * by },
  });
  const all = world.chains.all.map(widen);
  return {
    ...world,
    maxInFlight: world.maxInFlight * by,
    chains: { all, find: (chainId) => all.find(({ profile }) => profile.chainId === chainId) },
  };
}
