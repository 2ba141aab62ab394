import { Redis } from 'ioredis';
import { PerformanceEngine } from '../../../src/engines/performance/performance-engine';
import { FLUSH_DEFAULTS } from '../../../src/flush/flush-deps';
import { FlushEvents } from '../../../src/flush/flush-events';
import { SystemClock } from '../../../src/module/system-clock';
import type { Continuity } from '../../../src/ports/witness.port';
import type { IntentPolicy } from '../../../src/ports/fast-epoch-store.port';
import { NO_METRICS } from '../../../src/ports/metrics.port';
import { createDataSource } from '../../../src/postgres/data-source';
import { PostgresAllocationStore } from '../../../src/postgres/postgres-allocation-store';
import { PostgresFastEpochStore } from '../../../src/postgres/postgres-fast-epoch-store';
import { PostgresFlushStore } from '../../../src/postgres/postgres-flush-store';
import { PostgresModeStore } from '../../../src/postgres/postgres-mode-store';
import { PostgresSubmitterStore } from '../../../src/postgres/postgres-submitter-store';
import { StatementRunner } from '../../../src/postgres/statement-runner';
import { ChainBaseline } from '../../../src/recovery/chain-baseline';
import { duplicateForFastStore } from '../../../src/redis/fast-connection';
import { FastKeys } from '../../../src/redis/fast-keys';
import { RedisEventQueue } from '../../../src/redis/redis-event-queue';
import type { RedisClient } from '../../../src/redis/redis-client';
import { RedisWitness } from '../../../src/redis/redis-witness';
import { RedisFastStore } from '../../../src/redis/redis-fast-store';
import { HandOver } from '../../../src/routing/hand-over';
import { ModeView } from '../../../src/routing/mode-view';
import type { FlushEvent } from '../../../src/ports/fast-store.port';
import { RedeliveringQueue } from '../chaos/redelivering-queue';
import type { StepGate } from '../chaos/step-gate';

interface StoreSetting {
  readonly databaseUrl: string;
  readonly schema: string;
  readonly redisUrl: string;
  readonly keyPrefix: string;
  readonly shards: number;
  readonly quarantineMs: number;
}

export interface PerformanceSetting extends StoreSetting {
  readonly intents: IntentPolicy;
}

export interface FlushSetting extends StoreSetting {
  readonly name: string;
  /** Every event is delivered twice. */
  readonly redeliver: boolean;
}

const UPKEEP_MS = 250;
const FLUSH_MS = 50;
const UPKEEP_LIMIT = 1_000;
const SILENT = { debug: ignore, info: ignore, warn: ignore, error: ignore };
const NO_CHAINS = { all: [], find: () => undefined };

function ignore(): void {
  // What counts is what the callers are told and what the stores hold.
}

/** Keeps witnesses as every node does; nobody reads them, since the database is never set back. */
function witnessing(client: RedisClient, keys: FastKeys, setting: StoreSetting): Continuity {
  const { keyPrefix, shards } = setting;
  const shardOf = keys.shardOf.bind(keys);
  const store = new RedisWitness(client, { keyPrefix, shards, shardOf });
  const server = { systemId: 'chaos', startedAt: '1', timeline: '1', lsn: '0/0' };
  return {
    keep: async (witnesses) => {
      await store.keep(server, witnesses);
    },
  };
}

async function openRunner({ databaseUrl: url, schema }: StoreSetting): Promise<StatementRunner> {
  const source = createDataSource({ url, schema, poolSize: 4 });
  await source.initialize();
  // Statements are told apart by their text, which prepared ones carry only once.
  return new StatementRunner(source, schema, { prepared: false });
}

function openRedis({ redisUrl }: StoreSetting): RedisClient {
  const host = new Redis(redisUrl, { lazyConnect: true, retryStrategy: () => 50 });
  host.on('error', ignore);
  return duplicateForFastStore(host);
}

/** An engine with all its stores, each behind the gate. */
export async function openPerformance(
  setting: PerformanceSetting,
  gate: StepGate,
): Promise<PerformanceEngine> {
  const runner = await openRunner(setting);
  const quarantine = { ms: setting.quarantineMs, release: 'replacement' } as const;
  const keys = new FastKeys({ prefix: setting.keyPrefix, shards: setting.shards });
  const client = openRedis(setting);
  const modes = new PostgresModeStore(runner);
  await modes.initialise('PERFORMANCE', 'chaos');
  const clock = new SystemClock();
  const mode = await ModeView.open({ store: modes, clock, logger: SILENT });
  const fast = gate.through('fast', new RedisFastStore(client, keys));
  const flush = new PostgresFlushStore(runner);
  const apply = (facts: readonly FlushEvent[]) => flush.apply(facts, quarantine);
  const engine = new PerformanceEngine(
    {
      fast,
      epochs: gate.through('epochs', new PostgresFastEpochStore(runner, quarantine)),
      store: gate.through('store', new PostgresAllocationStore(runner)),
      flush,
      mode,
      handOver: new HandOver({ fast, apply, logger: SILENT }),
      continuity: gate.through('continuity', witnessing(client, keys, setting)),
      submitters: new PostgresSubmitterStore(runner),
      baseline: new ChainBaseline(NO_CHAINS, quarantine),
      chains: NO_CHAINS,
      clock,
      metrics: NO_METRICS,
      events: { publish: ignore },
      logger: SILENT,
    },
    { intents: setting.intents, quarantine, maxInFlight: 0 },
  );
  repeat(() => engine.reclaimExpired(UPKEEP_LIMIT), UPKEEP_MS);
  repeat(() => engine.loadFree(UPKEEP_LIMIT), UPKEEP_MS);
  repeat(() => mode.refresh(), UPKEEP_MS);
  return engine;
}

function repeat(work: () => Promise<unknown>, everyMs: number): void {
  setTimeout(() => {
    void work()
      .catch(ignore)
      .finally(() => {
        repeat(work, everyMs);
      });
  }, everyMs);
}

/** A worker that flushes until its process ends. */
export async function openFlush(setting: FlushSetting, gate: StepGate): Promise<void> {
  const runner = await openRunner(setting);
  const clock = new SystemClock();
  const keys = new FastKeys({ prefix: setting.keyPrefix, shards: setting.shards });
  const plain = new RedisEventQueue(openRedis(setting), keys, clock, { consumer: setting.name });
  const queue = gate.through('queue', setting.redeliver ? new RedeliveringQueue(plain) : plain);
  const flush = new FlushEvents(
    {
      queue,
      store: gate.through('flush', new PostgresFlushStore(runner)),
      reports: { note: async () => undefined },
      events: { publish: ignore },
      metrics: NO_METRICS,
      logger: SILENT,
      clock,
    },
    {
      ...FLUSH_DEFAULTS,
      worker: setting.name,
      shards: setting.shards,
      quarantine: { ms: setting.quarantineMs, release: 'replacement' },
      // What the dead leave behind is waited for.
      leaseMs: 1_500,
      silentMs: 2_500,
    },
  );
  repeat(() => flush.tick(), FLUSH_MS);
}
