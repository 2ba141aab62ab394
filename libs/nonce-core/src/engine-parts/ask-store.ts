import { isNonceError } from '../domain/errors/nonce-error';
import type { Clock } from '../ports/clock.port';
import type { GatheredCall } from './batch-gatherer';

export interface RetryPolicy {
  /** Tries of one batch while the store does not answer; at least 1. */
  readonly attempts: number;
  /** Wait before the second try; doubles with each further one. */
  readonly backoffMs: number;
}

/** One statement for these requests: one answer per request, in order. */
export type Statement<Request, Answer> = (
  requests: readonly Request[],
  retry: boolean,
) => Promise<readonly Answer[]>;

export interface StoreQuestion<Request, Answer, Result> {
  readonly statement: Statement<Request, Answer>;
  readonly retry: RetryPolicy;
  readonly clock: Clock;
  /** Called once for each statement that was answered, with one answer per call, in order. */
  readonly answered: (
    calls: readonly GatheredCall<Request, Result>[],
    answers: readonly Answer[],
  ) => void;
}

/**
 * Asks until the store has answered or refused. An unknown outcome (the reply may have been lost
 * after the commit, K1) is asked again with the same tokens, which the store answers with what it
 * did the first time. Any other error failed the statement as a whole and wrote nothing: the batch
 * is halved until the row that causes it fails alone (H-18).
 */
export async function askStore<Request, Answer, Result>(
  calls: readonly GatheredCall<Request, Result>[],
  question: StoreQuestion<Request, Answer, Result>,
  isRetry = false,
): Promise<void> {
  let answers: readonly Answer[];
  // What was asked once without an answer may have been written: its halves are repetitions.
  const asked = { isRetry };
  try {
    answers = await askPersistently(
      calls.map((call) => call.request),
      question,
      asked,
    );
  } catch (error) {
    if (calls.length === 1 || isNonceError(error, 'NONCE_STORE_UNAVAILABLE')) {
      for (const call of calls) call.reject(error);
      return;
    }
    const middle = calls.length >> 1;
    await askStore(calls.slice(0, middle), question, asked.isRetry);
    await askStore(calls.slice(middle), question, asked.isRetry);
    return;
  }
  question.answered(calls, answers);
}

async function askPersistently<Request, Answer, Result>(
  requests: readonly Request[],
  question: StoreQuestion<Request, Answer, Result>,
  asked: { isRetry: boolean },
): Promise<readonly Answer[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answers = await question.statement(requests, asked.isRetry);
      if (answers.length === requests.length) return answers;
      throw new Error(`the store gave ${answers.length} answers to ${requests.length} rows`);
    } catch (error) {
      const unknown = isNonceError(error, 'NONCE_STORE_UNAVAILABLE');
      if (!unknown || attempt >= question.retry.attempts) throw error;
      asked.isRetry = true;
      await question.clock.sleep(question.retry.backoffMs * 2 ** (attempt - 1));
    }
  }
}
