import type { AllocationStage } from '../../src/domain/allocation-state';
import { ReliableEngine } from '../../src/engines/reliable/reliable-engine';
import type { ReliableEngineOptions } from '../../src/engines/reliable/reliable-options';
import type { Clock } from '../../src/ports/clock.port';
import type { LockCoordinator } from '../../src/ports/lock.port';
import { NO_METRICS } from '../../src/ports/metrics.port';
import { PostgresAllocationStore } from '../../src/postgres/postgres-allocation-store';
import { PostgresSubmitterStore } from '../../src/postgres/postgres-submitter-store';
import { contractWorld, type ContractSubject, type ContractWorld } from '../../src/testing';
import { openStore, type StoreFixture } from '../support/store-fixture';

/** I-23: a lock that is granted to everybody at once. Nothing may rely on more. */
export const ALWAYS_GRANTED: LockCoordinator = {
  acquire: () => Promise.resolve({ release: () => Promise.resolve() }),
};

export const SYSTEM_CLOCK: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** What each node of the suite is given beside the stores; called once per node. */
export interface NodeParts {
  readonly locks: LockCoordinator;
  readonly options?: Partial<ReliableEngineOptions>;
  close(): Promise<void>;
}

/** The reliable engine on a database of its own, and hands that change rows as time and trackers do. */
export async function postgresSubject(newNode: () => Promise<NodeParts>): Promise<ContractSubject> {
  const fixture = await openStore();
  const world = contractWorld();
  const nodes: { engine: ReliableEngine; parts: NodeParts }[] = [];
  const start = async (): Promise<ReliableEngine> => {
    const parts = await newNode();
    const engine = engineOn(fixture, world, parts);
    nodes.push({ engine, parts });
    return engine;
  };
  const reader = new PostgresSubmitterStore(fixture.runner);
  return {
    engine: await start(),
    secondNode: start,
    rows: (submitter) => reader.nonces({ submitter, limit: 10_000 }),
    setPaused: async (submitter, paused) => {
      await reader.setPaused(submitter, paused, 'asked by a test');
    },
    ...handsOn(fixture),
    close: async () => {
      await Promise.all(nodes.map(({ engine }) => engine.stop(5_000)));
      await Promise.all(nodes.map(({ parts }) => parts.close()));
      await fixture.close();
    },
  };
}

function engineOn(
  fixture: StoreFixture,
  world: ContractWorld,
  parts: Pick<NodeParts, 'locks' | 'options'>,
): ReliableEngine {
  return new ReliableEngine(
    {
      store: new PostgresAllocationStore(fixture.runner),
      submitters: new PostgresSubmitterStore(fixture.runner),
      baseline: world.baseline,
      chains: world.chains,
      locks: parts.locks,
      clock: SYSTEM_CLOCK,
      metrics: NO_METRICS,
      events: { publish: () => undefined },
    },
    { maxInFlight: world.maxInFlight, quarantine: world.quarantine, ...parts.options },
  );
}

export function handsOn({
  database: { pool },
}: StoreFixture): Pick<ContractSubject, 'expire' | 'moveTo' | 'chainCount' | 'setWindow'> {
  return {
    expire: async ({ submitter, nonce }) => {
      await pool.query(
        `UPDATE submitter_nonce_allocation
         SET deadline = CASE WHEN stage = 'GRANTED' THEN now() - interval '1 s' END,
             release_at = CASE WHEN stage = 'QUARANTINED' THEN now() - interval '1 s' END
         WHERE submitter = $1 AND nonce = $2`,
        [submitter, nonce],
      );
      await pool.query(
        `UPDATE submitter_nonce_state SET reclaim_at = now() - interval '1 s' WHERE submitter = $1`,
        [submitter],
      );
    },
    moveTo: async (allocation, stage) => {
      await pool.query(MOVE, [allocation.submitter, allocation.nonce, ...moveParameters(stage)]);
    },
    chainCount: async (submitter, count) => {
      await pool.query(
        'UPDATE submitter_nonce_state SET chain_latest_count = $2 WHERE submitter = $1',
        [submitter, count],
      );
    },
    setWindow: async (submitter, maxInFlight) => {
      await pool.query('UPDATE submitter_nonce_state SET max_in_flight = $2 WHERE submitter = $1', [
        submitter,
        maxInFlight,
      ]);
    },
  };
}

const MOVE = `
  UPDATE submitter_nonce_allocation
  SET stage = $3::text::allocation_stage, deadline = NULL, release_at = NULL,
      block_number = coalesce(block_number, $4), block_hash = coalesce(block_hash, $5)
  WHERE submitter = $1 AND nonce = $2`;

function moveParameters(stage: AllocationStage): [AllocationStage, number | null, string | null] {
  const inBlock = stage === 'MINED' || stage === 'CONFIRMED';
  return [stage, inBlock ? 1 : null, inBlock ? `0x${'b1'.repeat(32)}` : null];
}
