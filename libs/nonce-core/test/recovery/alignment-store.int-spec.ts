import type { AllocationStage } from '../../src/domain/allocation-state';
import type { Allocation, Exposure } from '../../src/domain/allocation';
import type { Hex } from '../../src/domain/brand';
import type { HolderCommand } from '../../src/domain/holder-command';
import type { Submitter } from '../../src/domain/submitter';
import { PostgresAlignmentStore } from '../../src/postgres/postgres-alignment-store';
import { PostgresSubmitterStore } from '../../src/postgres/postgres-submitter-store';
import {
  baselineOf,
  batchOf,
  hashOf,
  newSubmitter,
  noncesOf,
  openStore,
  QUARANTINE,
  rowOf,
  tokens,
  type StoreFixture,
} from '../support/store-fixture';

const GENESIS = hashOf(900);

let fixture: StoreFixture;
let alignment: PostgresAlignmentStore;
let submitters: PostgresSubmitterStore;
beforeAll(async () => {
  fixture = await openStore();
  alignment = new PostgresAlignmentStore(fixture.runner, QUARANTINE);
  submitters = new PostgresSubmitterStore(fixture.runner);
});
afterAll(() => fixture.close());

async function opened(): Promise<Submitter> {
  const submitter = newSubmitter();
  await fixture.store.open(baselineOf(submitter, { chainLatestCount: 0, genesisHash: GENESIS }));
  return submitter;
}

async function grant(
  submitter: Submitter,
  count: number,
  overrides: { readonly exposure?: Exposure; readonly operationId?: string } = {},
): Promise<readonly string[]> {
  const row = rowOf(submitter, { ids: tokens(count), ...overrides });
  const [answer] = await fixture.store.allocate(batchOf([row]));
  if (answer?.kind !== 'granted') throw new Error(JSON.stringify(answer));
  return answer.allocations.map((allocation) => allocation.id);
}

async function tell(id: string, command: HolderCommand, txHash: Hex | null = null): Promise<void> {
  const facts = { submitter: null, nonce: null, rawTx: null, note: null, ttlMs: 60_000 };
  const row = { ...facts, command, id, txHash, followable: txHash !== null };
  const [answer] = await fixture.store.command([row], QUARANTINE);
  if (answer?.kind !== 'done') throw new Error(JSON.stringify(answer));
}

const align = (submitter: Submitter, latestCount: number, finalizedCount: number | null = null) =>
  alignment.align({ submitter, latestCount, finalizedCount, genesisHash: GENESIS });

const stagesOf = async (submitter: Submitter): Promise<AllocationStage[]> =>
  (await submitters.nonces({ submitter, limit: 100 })).map((row: Allocation) => row.stage);

describe('floors', () => {
  it('S7: nothing below the latest count is issued again, reusable or fresh', async () => {
    const submitter = await opened();
    const [first] = await grant(submitter, 3);
    await tell(first ?? '', 'recyclable');
    await align(submitter, 2);
    const [answer] = await fixture.store.allocate(batchOf([rowOf(submitter)]));
    expect(noncesOf(answer)).toEqual([3]);
  });

  it('S15: a lower count changes nothing and is reported', async () => {
    const submitter = await opened();
    await align(submitter, 9, 6);
    const report = await align(submitter, 4, 2);
    expect(report).toMatchObject({ chainLatest: 9, lastChainNonce: 5, lowered: 5 });
    const [answer] = await fixture.store.allocate(batchOf([rowOf(submitter)]));
    expect(noncesOf(answer)).toEqual([9]);
  });

  it('the finalized floor never passes the latest one', async () => {
    const submitter = await opened();
    expect(await align(submitter, 3, 8)).toMatchObject({ chainLatest: 3, lastChainNonce: 2 });
  });

  it('an unknown finalized count stays unknown and settles nothing', async () => {
    const submitter = await opened();
    const [id] = await grant(submitter, 1);
    await tell(id ?? '', 'used');
    expect(await align(submitter, 1)).toMatchObject({ lastChainNonce: null, finalized: 0 });
    expect(await stagesOf(submitter)).toEqual(['ASSERTED']);
  });

  it('answers nothing for a submitter that was never used', async () => {
    expect(await align(newSubmitter(), 1)).toBeNull();
  });
});

describe('L9: foreign use', () => {
  it('jumps to the chain’s count in one step and tells how far', async () => {
    const submitter = await opened();
    await grant(submitter, 2);
    expect(await align(submitter, 40)).toMatchObject({ foreignUse: 38 });
    expect(await align(submitter, 40)).toMatchObject({ foreignUse: 0 });
    const view = await submitters.view(submitter, 0);
    expect(view).toMatchObject({ nextLocalNonce: 40, ceiling: 40, chainLatest: 40 });
  });

  it('fences unsent holders at finality, and their operation gets a nonce again', async () => {
    const submitter = await opened();
    const [id] = await grant(submitter, 1, { operationId: 'pay-1' });
    expect(await align(submitter, 1, 0)).toMatchObject({ fenced: 0 });
    expect(await stagesOf(submitter)).toEqual(['GRANTED']);
    expect(await align(submitter, 1, 1)).toMatchObject({ fenced: 1 });
    expect(await stagesOf(submitter)).toEqual(['CONSUMED_EXTERNAL']);
    await expect(tell(id ?? '', 'intent', hashOf(1))).rejects.toThrow(/NONCE_ALLOCATION_CLOSED/);
    const again = rowOf(submitter, { operationId: 'pay-1' });
    const [answer] = await fixture.store.allocate(batchOf([again]));
    expect(noncesOf(answer)).toEqual([1]);
  });

  it('H-14: does not bind the operation of a holder again that may have sent', async () => {
    const submitter = await opened();
    await grant(submitter, 1, { exposure: 'inferred', operationId: 'pay-2' });
    expect(await align(submitter, 1, 1)).toMatchObject({ fenced: 0, stuck: 1 });
    expect(await align(submitter, 1, 1)).toMatchObject({ stuck: 0 });
    const again = rowOf(submitter, { operationId: 'pay-2', exposure: 'inferred' });
    const [answer] = await fixture.store.allocate(batchOf([again]));
    expect(noncesOf(answer)).toEqual([0]);
  });
});

describe('settling by the finalized count', () => {
  it('ends an assertion without a hash, and only below the count', async () => {
    const submitter = await opened();
    const [first, second] = await grant(submitter, 2);
    await tell(first ?? '', 'used');
    await tell(second ?? '', 'used');
    expect(await align(submitter, 2, 1)).toMatchObject({ finalized: 1 });
    const rows = await submitters.nonces({ submitter, limit: 10 });
    expect(rows.map((row) => [row.stage, row.proof])).toEqual([
      ['FINAL', 'count'],
      ['ASSERTED', null],
    ]);
  });

  it('S6: never settles a nonce with a recorded hash', async () => {
    const submitter = await opened();
    const [first, second] = await grant(submitter, 2);
    await tell(first ?? '', 'intent', hashOf(11));
    await tell(second ?? '', 'submitted', hashOf(12));
    await align(submitter, 2, 2);
    expect(await stagesOf(submitter)).toEqual(['INTENT', 'BROADCAST']);
  });

  it('ends what was never exposed, and marks what may have been', async () => {
    const submitter = newSubmitter();
    const pending = { chainLatestCount: 0, genesisHash: GENESIS, pendingCount: 1 };
    await fixture.store.open(baselineOf(submitter, pending));
    const [unsent, perhaps] = await grant(submitter, 2);
    await tell(unsent ?? '', 'recyclable');
    await tell(perhaps ?? '', 'quarantine');
    expect(await align(submitter, 3, 3)).toMatchObject({ stuck: 1 });
    expect(await stagesOf(submitter)).toEqual([
      'CONSUMED_EXTERNAL',
      'CONSUMED_EXTERNAL',
      'QUARANTINED',
    ]);
  });
});

describe('L13: another genesis block', () => {
  const reset = (submitter: Submitter) =>
    alignment.align({ submitter, latestCount: 50, finalizedCount: 50, genesisHash: hashOf(901) });

  it('is NONCE_CHAIN_RESET, moves no floor, and stops the submitter', async () => {
    const submitter = await opened();
    await align(submitter, 3);
    await expect(reset(submitter)).rejects.toMatchObject({ code: 'NONCE_CHAIN_RESET' });
    const view = await submitters.view(submitter, 0);
    expect(view).toMatchObject({ chainLatest: 3, nextLocalNonce: 3, paused: true });
    const [answer] = await fixture.store.allocate(batchOf([rowOf(submitter)]));
    expect(answer).toMatchObject({ kind: 'refused' });
  });

  it('ends when the remembered genesis is seen again, but never an operator’s pause', async () => {
    const submitter = await opened();
    await expect(reset(submitter)).rejects.toThrow();
    await align(submitter, 1);
    expect((await submitters.view(submitter, 0))?.paused).toBe(false);
    await submitters.setPaused(submitter, true, 'maintenance');
    await expect(reset(submitter)).rejects.toThrow();
    await align(submitter, 1);
    expect(await submitters.view(submitter, 0)).toMatchObject({
      paused: true,
      pausedReason: 'maintenance',
    });
  });

  it('is remembered at the first alignment of a submitter that has none', async () => {
    const submitter = newSubmitter();
    await fixture.store.open(baselineOf(submitter));
    await align(submitter, 1);
    await expect(reset(submitter)).rejects.toMatchObject({ code: 'NONCE_CHAIN_RESET' });
  });
});

it('K11, K12: alignments and allocations at once never re-issue below the floor', async () => {
  const submitter = await opened();
  const work = Array.from({ length: 60 }, (_, index) =>
    index % 3 === 0
      ? align(submitter, index, Math.floor(index / 2)).then(() => null)
      : fixture.store.allocate(batchOf([rowOf(submitter)])).then(([answer]) => noncesOf(answer)[0]),
  );
  const issued = (await Promise.all(work)).filter((nonce) => nonce !== null);
  expect(new Set(issued).size).toBe(issued.length);
  const view = await submitters.view(submitter, 0);
  expect(view?.chainLatest).toBe(57);
  expect(view?.nextLocalNonce).toBeGreaterThanOrEqual(57);
});
