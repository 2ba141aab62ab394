import { v7 } from 'uuid';
import type { Epoch } from '../../src/domain/epoch';
import type { Nonce } from '../../src/domain/nonce';
import type { Submitter } from '../../src/domain/submitter';
import type {
  FastEpoch,
  FastEpochAnswer,
  IntentPolicy,
} from '../../src/ports/fast-epoch-store.port';
import type { EventStage, FastGrant, FlushEvent } from '../../src/ports/fast-store.port';
import { PostgresFastEpochStore } from '../../src/postgres/postgres-fast-epoch-store';
import { PostgresFlushStore } from '../../src/postgres/postgres-flush-store';
import {
  baselineOf,
  FIRST_MODE_EPOCH,
  newSubmitter,
  openStore,
  QUARANTINE,
  type StoreFixture,
} from '../support/store-fixture';

/** What an event may change about a nonce, without the times at which it was written. */
export interface FlushedRow {
  readonly nonce: number;
  readonly id: string;
  readonly stage: string;
  readonly source: string;
  readonly exposure: string;
  readonly engine: string;
  readonly epoch: number;
  readonly generation: number;
  readonly rank: number;
  readonly loaded: number | null;
  readonly operation: string | null;
  readonly txHash: string | null;
  readonly hashes: readonly string[] | null;
  readonly inherited: number;
  readonly shared: boolean;
  readonly note: string | null;
  readonly deadlineMs: number | null;
  readonly looked: boolean;
  readonly released: boolean;
}

export interface PastGrant {
  readonly id: string;
  readonly nonce: number;
  readonly generation: number;
  readonly ended: string;
  readonly hashes: readonly string[] | null;
}

/** A database with submitters in fast epochs, and what became of their nonces. */
export interface FlushBench {
  readonly fixture: StoreFixture;
  readonly epochs: PostgresFastEpochStore;
  readonly flush: PostgresFlushStore;
  apply(...events: readonly FlushEvent[]): Promise<void>;
  /** A submitter of its own whose first fast epoch has just been opened. */
  inEpoch(intents?: IntentPolicy, raise?: number): Promise<FastEpoch>;
  /** The fast store was lost: the next epoch begins. */
  cutOff(epoch: FastEpoch, intents?: IntentPolicy): Promise<FastEpoch>;
  rows(submitter: Submitter): Promise<readonly FlushedRow[]>;
  past(submitter: Submitter): Promise<readonly PastGrant[]>;
  close(): Promise<void>;
}

export async function openFlushBench(): Promise<FlushBench> {
  const fixture = await openStore();
  const epochs = new PostgresFastEpochStore(fixture.runner, QUARANTINE);
  const flush = new PostgresFlushStore(fixture.runner);
  const { pool } = fixture.database;
  let incarnations = 0;
  const enter = async (
    submitter: Submitter,
    { badEpoch = null, raise = 64 }: { badEpoch?: Epoch | null; raise?: number },
    intents: IntentPolicy,
  ) => {
    incarnations += 1;
    const [answer] = await epochs.enter(
      [
        {
          submitter,
          incarnation: `redis-${String(incarnations)}`,
          badEpoch,
          raise,
          defaultWindow: 0,
          reason: 'test',
        },
      ],
      intents,
      FIRST_MODE_EPOCH,
    );
    return epochOf(answer);
  };
  return {
    fixture,
    epochs,
    flush,
    apply: (...events) => flush.apply(events, QUARANTINE),
    async inEpoch(intents = 'strict', raise = 64) {
      const submitter = newSubmitter();
      await fixture.store.open(baselineOf(submitter));
      return enter(submitter, { raise }, intents);
    },
    cutOff: ({ view }, intents = 'strict') =>
      enter(view.submitter, { badEpoch: view.epoch }, intents),
    async rows(submitter) {
      const { rows } = await pool.query<FlushedRow>(ROWS, [submitter]);
      return rows;
    },
    async past(submitter) {
      const { rows } = await pool.query<PastGrant>(PAST, [submitter]);
      return rows;
    },
    close: () => fixture.close(),
  };
}

const ROWS = `SELECT nonce::integer, id, stage, source, exposure, engine, epoch::integer, generation,
  rank, loaded_epoch::integer AS loaded, operation_id AS operation, tx_hash AS "txHash", hashes,
  inherited_hashes AS inherited, shared, note,
  (extract(epoch FROM deadline) * 1000)::double precision AS "deadlineMs",
  due_at IS NOT NULL AS looked, release_at IS NOT NULL AS released
  FROM submitter_nonce_allocation WHERE submitter = $1 ORDER BY nonce`;
const PAST = `SELECT id, nonce::integer, generation, ended_stage AS ended, hashes
  FROM allocation_grant WHERE submitter = $1 ORDER BY nonce, generation, id`;

function epochOf(answer: FastEpochAnswer | undefined): FastEpoch {
  if (answer?.kind !== 'epoch') throw new Error(`no epoch: ${JSON.stringify(answer)}`);
  return answer.epoch;
}

const GRANTED_AT_MS = 1_790_000_000_000;

export function grantOf(
  epoch: FastEpoch,
  nonce: number,
  overrides: Partial<FastGrant> = {},
): FastGrant {
  return {
    id: v7(),
    submitter: epoch.view.submitter,
    nonce: nonce as Nonce,
    epoch: epoch.view.epoch,
    generation: 2,
    source: 'fresh',
    exposure: 'declared',
    operationId: null,
    metadata: null,
    grantedAtMs: GRANTED_AT_MS,
    deadlineMs: GRANTED_AT_MS + 60_000,
    ...overrides,
  };
}

export function eventOf(
  grant: FastGrant,
  stage: EventStage,
  rest: Partial<Omit<FlushEvent, 'stage'>> = {},
): FlushEvent {
  const rank = rest.rank ?? (stage === 'GRANTED' ? 1 : 2);
  return { grant, stage, rank, hashes: [], note: null, atMs: GRANTED_AT_MS + rank, ...rest };
}
