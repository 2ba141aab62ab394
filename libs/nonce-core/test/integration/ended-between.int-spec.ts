import type { Allocation } from '../../src/domain/allocation';
import { OUTPACED } from '../../src/domain/errors/outpaced';
import type { Submitter } from '../../src/domain/submitter';
import type { AllocateAnswer, AllocateRow, HolderRow } from '../../src/ports/allocation-store.port';
import { PostgresAllocationStore } from '../../src/postgres/postgres-allocation-store';
import { StatementRunner } from '../../src/postgres/statement-runner';
import {
  baselineOf,
  batchOf,
  newSubmitter,
  noncesOf,
  openStore,
  QUARANTINE,
  rowOf,
  type StoreFixture,
} from '../support/store-fixture';

let fixture: StoreFixture;

beforeAll(async () => {
  fixture = await openStore();
});
afterAll(() => fixture.close());

/** Lets others act once, after a statement has named the allocations that answer it. */
class RunnerWithPause extends StatementRunner {
  constructor(private between: (() => Promise<void>) | undefined) {
    super(fixture.source, fixture.database.schema);
  }

  override async run(...call: Parameters<StatementRunner['run']>): Promise<never> {
    const { between } = this;
    if (call[0] === this.statements.findAllocations && between !== undefined) {
      this.between = undefined;
      await between();
    }
    return super.run(...call) as Promise<never>;
  }
}

async function opened(): Promise<Submitter> {
  const submitter = newSubmitter();
  await fixture.store.open(baselineOf(submitter));
  return submitter;
}

async function allocate(
  row: AllocateRow,
  how: { readonly store?: PostgresAllocationStore; readonly retry?: boolean } = {},
): Promise<AllocateAnswer | undefined> {
  const { store = fixture.store, retry = false } = how;
  const [answer] = await store.allocate(batchOf([row], { retry }));
  return answer;
}

async function endAndGrantAnew(answer: AllocateAnswer | undefined): Promise<void> {
  const nonces = noncesOf(answer);
  const [first] = answer?.kind === 'granted' ? answer.allocations : [];
  await giveBack(first);
  expect(noncesOf(await allocate(rowOf(first?.submitter as Submitter)))).toEqual(nonces);
}

async function giveBack(allocation: Allocation | undefined): Promise<void> {
  const row: HolderRow = {
    ...{ command: 'recyclable' as const, id: allocation?.id ?? '', submitter: null, nonce: null },
    ...{ txHash: null, rawTx: null, note: null, ttlMs: 0, followable: false },
  };
  const [answer] = await fixture.store.command([row], QUARANTINE);
  expect(answer).toMatchObject({ kind: 'done', allocation: { stage: 'REUSABLE' } });
}

describe('L5: an answer whose allocation ends and is granted to another before it is read', () => {
  it('is asked for again, and the operation gets a nonce of its own', async () => {
    const submitter = await opened();
    const wish = () => rowOf(submitter, { operationId: 'pay', requestHash: 'same' });
    const bound = await allocate(wish());
    const runner = new RunnerWithPause(() => endAndGrantAnew(bound));
    const answer = await allocate(wish(), { store: new PostgresAllocationStore(runner) });
    expect(answer).toEqual({ kind: 'refused', ...OUTPACED });
    expect(noncesOf(await allocate(wish()))).toEqual([1]);
  });

  it('K1: also where the call repeats its own tokens after a lost reply, before or after the read', async () => {
    const row = rowOf(await opened());
    const lost = await allocate(row);
    const runner = new RunnerWithPause(() => endAndGrantAnew(lost));
    const store = new PostgresAllocationStore(runner);
    expect(await allocate(row, { store, retry: true })).toEqual({ kind: 'refused', ...OUTPACED });
    expect(await allocate(row, { retry: true })).toEqual({ kind: 'refused', ...OUTPACED });
  });
});
