import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { ALLOCATION_STATUSES, STATUS_OF } from '../../domain/allocation-state';
import type { Allocation, Exposure } from '../../domain/allocation';
import type { Hex } from '../../domain/brand';
import type { ErrorCode } from '../../domain/errors/catalogue';
import { isNonceError, type NonceError } from '../../domain/errors/nonce-error';
import type { Nonce } from '../../domain/nonce';
import { parseSubmitter, type Submitter } from '../../domain/submitter';
import type { AllocateCommand, Grant, NonceEngine } from '../../ports/engine.port';
import type { ContractSubject } from './contract-subject';
import { FOLLOWED_CHAIN_ID, PLAIN_CHAIN_ID } from './contract-world';

export type Wish = Partial<Omit<AllocateCommand, 'submitter'>>;

/** One test's hands on the engine: fresh submitters, short calls, and the partition check. */
export class ContractBench {
  private readonly touched = new Set<Submitter>();

  constructor(
    readonly subject: ContractSubject,
    readonly secondNode: NonceEngine,
  ) {}

  get engine(): NonceEngine {
    return this.subject.engine;
  }

  /** A submitter nobody used before, on the chain that is not configured. */
  submitter(chainId: number = PLAIN_CHAIN_ID): Submitter {
    const submitter = parseSubmitter({ chainId, address: randomAddress() });
    this.touched.add(submitter);
    return submitter;
  }

  followedSubmitter(): Submitter {
    return this.submitter(FOLLOWED_CHAIN_ID);
  }

  allocate(submitter: Submitter, wish: Wish = {}, node = this.engine): Promise<Grant> {
    return node.allocate({ submitter, count: 1, ttlMs: 60_000, exposure: 'declared', ...wish });
  }

  async one(submitter: Submitter, wish: Wish = {}, node = this.engine): Promise<Allocation> {
    const { allocations } = await this.allocate(submitter, wish, node);
    assert.equal(allocations.length, 1);
    return allocations[0] as Allocation;
  }

  async nonces(submitter: Submitter, wish: Wish = {}): Promise<number[]> {
    return noncesOf(await this.allocate(submitter, wish));
  }

  /** A submitter without a window whose nonces 0…count-1 are granted. */
  async granted(count: number, exposure: Exposure = 'declared'): Promise<Allocation[]> {
    const submitter = this.submitter();
    const first = await this.one(submitter, { exposure });
    await this.subject.setWindow(submitter, 0);
    const all = [first];
    while (all.length < count) {
      const wish = { exposure, count: Math.min(256, count - all.length) };
      for (const each of (await this.allocate(submitter, wish)).allocations) all.push(each);
    }
    return all;
  }

  async row(allocation: Allocation): Promise<Allocation> {
    const rows = await this.subject.rows(allocation.submitter);
    const row = rows.find(({ nonce }) => nonce === allocation.nonce);
    assert.ok(row, `nonce ${allocation.nonce} has a row`);
    return row;
  }

  release(allocation: Allocation): Promise<unknown> {
    return this.engine.markRecyclable(allocation, { reason: 'never sent' });
  }

  /** S12 for every submitter of the test. */
  async assertPartitions(): Promise<void> {
    for (const submitter of this.touched) await this.assertPartition(submitter);
  }

  /** S12: each nonce from the first to the next fresh one has one row, and nothing lies beyond. */
  async assertPartition(submitter: Submitter): Promise<void> {
    const rows = await this.subject.rows(submitter).catch(asEmptyIfUnknown);
    if (rows.length === 0) return;
    const first = (rows[0] as Allocation).nonce;
    const expected = rows.map((_, index) => first + index);
    assert.deepEqual(
      rows.map((row) => row.nonce),
      expected,
      'every nonce exactly once',
    );
    const view = await this.engine.inspect(submitter);
    assert.equal(view.nextLocalNonce, first + rows.length, 'no nonce at or above the next one');
    for (const status of ALLOCATION_STATUSES) {
      const counted = rows.filter((row) => STATUS_OF[row.stage] === status).length;
      assert.equal(view.counts[status], counted, `count of ${status}`);
      assert.ok(rows.every((row) => row.status === STATUS_OF[row.stage]));
    }
  }
}

/** The same but for the time of the last write: a row that is written later tells a later one. */
export function assertSameFacts(actual: Allocation, expected: Allocation, message?: string): void {
  const atNoTime = { updatedAt: 0, updatedAtUs: 0 };
  assert.deepEqual({ ...actual, ...atNoTime }, { ...expected, ...atNoTime }, message);
}

export function noncesOf(grant: Grant): number[] {
  return grant.allocations.map((allocation) => allocation.nonce as number);
}

/** The refusal of a call; fails when the call is granted or refused with another code. */
export async function refusal(call: Promise<unknown>, code: ErrorCode): Promise<NonceError> {
  const outcome = await call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  assert.ok('error' in outcome, `expected ${code}, but the call succeeded`);
  if (!isNonceError(outcome.error)) throw outcome.error;
  assert.equal(outcome.error.code, code);
  return outcome.error;
}

export function hashOf(text: string): Hex {
  return `0x${createHash('sha256').update(text).digest('hex')}`;
}

export function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}

export function asNonce(value: number): Nonce {
  return value as Nonce;
}

function randomAddress(): string {
  return `0x${randomBytes(20).toString('hex')}`;
}

function asEmptyIfUnknown(error: unknown): readonly Allocation[] {
  if (isNonceError(error, 'NONCE_SUBMITTER_UNKNOWN')) return [];
  throw error;
}
