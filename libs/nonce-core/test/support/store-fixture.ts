import type { DataSource } from 'typeorm';
import { v7 } from 'uuid';
import type { Hex } from '../../src/domain/brand';
import type { LastingMode } from '../../src/domain/engine-mode';
import type { Nonce } from '../../src/domain/nonce';
import { parseSubmitter, type Submitter } from '../../src/domain/submitter';
import type {
  AllocateAnswer,
  AllocateBatch,
  AllocateRow,
  SubmitterBaseline,
} from '../../src/ports/allocation-store.port';
import { createDataSource } from '../../src/postgres/data-source';
import { PostgresAllocationStore } from '../../src/postgres/postgres-allocation-store';
import { PostgresModeStore } from '../../src/postgres/postgres-mode-store';
import { StatementRunner } from '../../src/postgres/statement-runner';
import { openTestDatabase, type TestDatabase } from './test-database';

export const QUARANTINE = { ms: 30_000, release: 'replacement' } as const;

/** The authority on a database of the test file's own. */
export interface StoreFixture {
  readonly database: TestDatabase;
  readonly source: DataSource;
  readonly runner: StatementRunner;
  readonly store: PostgresAllocationStore;
  close(): Promise<void>;
}

/** Epoch of the mode that a fixture's database starts with. */
export const FIRST_MODE_EPOCH = 1;

/** `mode` is in force from the start; null = none was ever set, as before a first boot. */
export async function openStore(mode: LastingMode | null = 'PERFORMANCE'): Promise<StoreFixture> {
  const database = await openTestDatabase();
  const source = createDataSource({ url: database.url, schema: database.schema });
  await source.initialize();
  const runner = new StatementRunner(source, database.schema);
  if (mode !== null) await new PostgresModeStore(runner).initialise(mode, 'test');
  return {
    database,
    source,
    runner,
    store: new PostgresAllocationStore(runner),
    async close() {
      await source.destroy();
      await database.close();
    },
  };
}

let lastAddress = 0;

/** A submitter that no other test uses. */
export function newSubmitter(chainId = 31_337): Submitter {
  lastAddress += 1;
  const address = `0x${(BigInt(Date.now()) * 1_000_000n + BigInt(lastAddress)).toString(16).padStart(40, '0')}`;
  return parseSubmitter({ chainId, address });
}

export function baselineOf(
  submitter: Submitter,
  overrides: Partial<SubmitterBaseline> = {},
): SubmitterBaseline {
  return {
    submitter,
    startNonce: 0 as Nonce,
    pendingCount: 0,
    chainLatestCount: null,
    chainFinalizedCount: null,
    genesisHash: null,
    engine: 'reliable',
    quarantine: QUARANTINE,
    ...overrides,
  };
}

export function rowOf(submitter: Submitter, overrides: Partial<AllocateRow> = {}): AllocateRow {
  return {
    submitter,
    ids: [v7()],
    operationId: null,
    requestHash: null,
    ttlMs: 60_000,
    exposure: 'declared',
    metadata: null,
    ...overrides,
  };
}

/** `count` owner tokens. */
export function tokens(count: number): string[] {
  return Array.from({ length: count }, () => v7());
}

export function batchOf(
  rows: readonly AllocateRow[],
  overrides: Partial<AllocateBatch> = {},
): AllocateBatch {
  return {
    rows,
    maxInFlight: 0,
    quarantine: QUARANTINE,
    skipLocked: false,
    retry: false,
    ...overrides,
  };
}

/** The nonces of an answer that must be a grant. */
export function noncesOf(answer: AllocateAnswer | undefined): number[] {
  if (answer?.kind !== 'granted') throw new Error(`not a grant: ${JSON.stringify(answer)}`);
  return answer.allocations.map((allocation) => allocation.nonce);
}

export function hashOf(seed: number): Hex {
  return `0x${seed.toString(16).padStart(64, '0')}`;
}
