import { NonceError } from '../../domain/errors/nonce-error';
import type { Nonce } from '../../domain/nonce';
import { BatchGatherer, type GatheredCall } from '../../engine-parts/batch-gatherer';
import type {
  FastGrant,
  FastSettleAnswer,
  FastSettleRow,
  FastView,
  FastWord,
} from '../../ports/fast-store.port';
import type { PerformanceEngineOptions } from './performance-options';
import type { PerformanceEnginePorts } from './performance-ports';

export interface LookRow {
  readonly view: FastView;
  readonly id: string;
  readonly nonce: Nonce;
}

/** Script runs with words about grants that may be on their way at the same time. */
const BATCHES_IN_FLIGHT = 4;

/**
 * Tells the fast store what became of grants, and asks it who holds a nonce; many in one go. Words
 * about one grant keep their order. A lost answer is asked for once more: every word may be said
 * twice.
 */
export class SettleDesk {
  private readonly words: BatchGatherer<FastSettleRow, FastSettleAnswer>;
  private readonly looks: BatchGatherer<LookRow, FastSettleAnswer>;

  constructor(
    private readonly ports: PerformanceEnginePorts,
    options: PerformanceEngineOptions,
  ) {
    const { fast } = ports;
    const limits = { maxWaiting: options.maxWaiting, batchesInFlight: BATCHES_IN_FLIGHT };
    const shape = {
      keyOf: (row: { readonly id: string }) => row.id,
      weightOf: () => 1,
      maxWeight: options.maxBatch,
      maxWeightPerKey: 1,
    };
    this.words = new BatchGatherer<FastSettleRow, FastSettleAnswer>(
      (calls) => ask(calls, (rows) => fast.settle(rows)),
      limits,
      { ...shape, oneFlightPerKey: true },
    );
    this.looks = new BatchGatherer<LookRow, FastSettleAnswer>(
      (calls) => ask(calls, (rows) => fast.look(rows)),
      limits,
      { ...shape, oneFlightPerKey: false },
    );
  }

  /** @throws NonceError NONCE_STORE_UNAVAILABLE; whether it was heard is not known then. */
  settle(row: FastSettleRow): Promise<FastSettleAnswer> {
    return this.words.submit(row);
  }

  /**
   * The same; an epoch that was handed over takes no word any more, but its facts are still told:
   * as `same`, for Postgres to decide.
   */
  async settleOrLook(row: FastSettleRow): Promise<FastSettleAnswer> {
    const answer = await this.settle(row);
    if (answer.kind !== 'stale') return answer;
    const found = await this.look({ view: row.view, id: row.id, nonce: row.nonce });
    return found.kind === 'done' ? { ...found, kind: 'same' } : found;
  }

  /** @throws NonceError NONCE_STORE_UNAVAILABLE. */
  look(row: LookRow): Promise<FastSettleAnswer> {
    return this.looks.submit(row);
  }

  /**
   * Passes on what Postgres decided. Never rejects: null when it was not heard; the fast store then
   * holds the nonce until its deadline, and Postgres judges it.
   */
  async tell(
    word: FastWord,
    { view, id, nonce }: LookRow,
    note: string | null = null,
  ): Promise<FastSettleAnswer | null> {
    try {
      const row = { word, view, id, nonce, txHash: null, note, ttlMs: 0, followable: false };
      return await this.settle(row);
    } catch (error) {
      const { submitter } = view;
      this.ports.logger.warn('the fast store was not told what became of a nonce', {
        submitter,
        nonce,
        word,
        reason: String(error),
      });
      return null;
    }
  }

  /** Gives back grants that nobody was answered with. */
  async giveBack(view: FastView, grants: readonly FastGrant[]): Promise<void> {
    await Promise.all(
      grants.map(({ id, nonce }) =>
        this.tell('recyclable', { view, id, nonce }, 'granted to nobody'),
      ),
    );
  }

  async stop(deadlineMs: number): Promise<void> {
    await Promise.all([this.words.stop(deadlineMs), this.looks.stop(deadlineMs)]);
  }
}

async function ask<Row>(
  calls: readonly GatheredCall<Row, FastSettleAnswer>[],
  statement: (rows: readonly Row[]) => Promise<readonly (FastSettleAnswer | Error)[]>,
): Promise<void> {
  const again = await askOnce(calls, statement, false);
  if (again.length > 0) await askOnce(again, statement, true);
}

async function askOnce<Row>(
  calls: readonly GatheredCall<Row, FastSettleAnswer>[],
  statement: (rows: readonly Row[]) => Promise<readonly (FastSettleAnswer | Error)[]>,
  isLast: boolean,
): Promise<GatheredCall<Row, FastSettleAnswer>[]> {
  const rows = calls.map((call) => call.request);
  const answers = await statement(rows).catch((error: unknown) => rows.map(() => error as Error));
  return calls.filter((call, i) => {
    const answer = answers[i] ?? new NonceError('NONCE_INTERNAL');
    if (!(answer instanceof Error)) call.resolve(answer);
    else if (isLast) call.reject(answer);
    else return true;
    return false;
  });
}
