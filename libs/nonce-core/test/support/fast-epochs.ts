import { v7 } from 'uuid';
import type { AllocationStage } from '../../src/domain/allocation-state';
import type { Epoch } from '../../src/domain/epoch';
import type { ErrorCode } from '../../src/domain/errors/catalogue';
import type { HolderCommand } from '../../src/domain/holder-command';
import type { Nonce } from '../../src/domain/nonce';
import type { Submitter } from '../../src/domain/submitter';
import type { HolderRow } from '../../src/ports/allocation-store.port';
import type {
  FastEpoch,
  FastEnding,
  FastEpochAnswer,
  FastRecordAnswer,
  IntentPolicy,
  TakeOverVerdict,
} from '../../src/ports/fast-epoch-store.port';
import type { FastGrant } from '../../src/ports/fast-store.port';
import { PostgresFastEpochStore } from '../../src/postgres/postgres-fast-epoch-store';
import {
  baselineOf,
  FIRST_MODE_EPOCH,
  hashOf,
  newSubmitter,
  QUARANTINE,
  type StoreFixture,
} from './store-fixture';

export interface EntranceWish {
  readonly incarnation?: string;
  readonly badEpoch?: Epoch | null;
  readonly intents?: IntentPolicy;
  readonly raise?: number;
  readonly window?: number;
  readonly modeEpoch?: number;
}

export function epochOf(answer: FastEpochAnswer | undefined): FastEpoch {
  if (answer?.kind !== 'epoch') throw new Error(`no epoch: ${JSON.stringify(answer)}`);
  return answer.epoch;
}

/** A grant as a fast store would have made it in that epoch. */
export function grantOf(
  epoch: FastEpoch,
  nonce: number,
  overrides: Partial<FastGrant> = {},
): FastGrant {
  const nowMs = Date.now();
  return {
    id: v7(),
    submitter: epoch.view.submitter,
    nonce: nonce as Nonce,
    epoch: epoch.view.epoch,
    generation: 2,
    source: 'fresh',
    exposure: 'inferred',
    operationId: null,
    metadata: null,
    grantedAtMs: nowMs,
    deadlineMs: nowMs + 60_000,
    ...overrides,
  };
}

export function commandOf(command: HolderCommand, grant: FastGrant, seed = 1): HolderRow {
  return {
    command,
    id: grant.id,
    submitter: grant.submitter,
    nonce: grant.nonce,
    txHash: command === 'intent' ? hashOf(seed) : null,
    rawTx: null,
    note: null,
    ttlMs: 60_000,
    followable: false,
    grant,
  };
}

/** Hands on the fast epochs of one database, with the part of the fast store played by the test. */
export class FastEpochBench {
  readonly epochs: PostgresFastEpochStore;

  constructor(readonly fixture: StoreFixture) {
    this.epochs = new PostgresFastEpochStore(fixture.runner, QUARANTINE);
  }

  async opened(overrides: Parameters<typeof baselineOf>[1] = {}): Promise<Submitter> {
    const submitter = newSubmitter();
    await this.fixture.store.open(baselineOf(submitter, overrides));
    return submitter;
  }

  async enter(submitter: Submitter, wish: EntranceWish = {}): Promise<FastEpoch> {
    return epochOf(await this.ask(submitter, wish));
  }

  async ask(submitter: Submitter, wish: EntranceWish = {}): Promise<FastEpochAnswer | undefined> {
    const request = {
      submitter,
      incarnation: wish.incarnation ?? 'redis-1',
      badEpoch: wish.badEpoch ?? null,
      raise: wish.raise ?? 32,
      defaultWindow: wish.window ?? 0,
      reason: 'test',
    };
    const modeEpoch = wish.modeEpoch ?? FIRST_MODE_EPOCH;
    const [answer] = await this.epochs.enter([request], wish.intents ?? 'strict', modeEpoch);
    return answer;
  }

  async takeOver(
    submitter: Submitter,
    ending: FastEnding | null,
    modeEpoch: number,
  ): Promise<TakeOverVerdict | undefined> {
    const [verdict] = await this.epochs.takeOver([{ submitter, ending }], modeEpoch);
    return verdict;
  }

  async record(...grants: readonly FastGrant[]): Promise<FastRecordAnswer | undefined> {
    const [answer] = await this.epochs.record([{ grants, requestHash: null }]);
    return answer;
  }

  /** The stage that follows, or the code of the refusal. */
  async say(
    command: HolderCommand,
    grant: FastGrant,
    seed = 1,
  ): Promise<AllocationStage | ErrorCode> {
    const [answer] = await this.fixture.store.command(
      [commandOf(command, grant, seed)],
      QUARANTINE,
    );
    if (answer === undefined) throw new Error('not answered');
    return answer.kind === 'done' ? answer.allocation.stage : answer.code;
  }

  async stages(submitter: Submitter): Promise<string[]> {
    const { rows } = await this.fixture.database.pool.query<{ text: string }>(
      `SELECT nonce || ' ' || stage AS text FROM submitter_nonce_allocation
       WHERE submitter = $1 ORDER BY nonce`,
      [submitter],
    );
    return rows.map(({ text }) => text);
  }
}
