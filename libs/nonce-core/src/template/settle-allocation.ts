import type { Allocation } from '../domain/allocation';
import type { Hex } from '../domain/brand';
import {
  NonceOperationFailedError,
  NonceOutcomeUnknownError,
} from '../domain/errors/handler-errors';
import { isNonceError, NonceError } from '../domain/errors/nonce-error';
import type { Clock } from '../ports/clock.port';
import type { NonceEngine } from '../ports/engine.port';
import type { Logger } from '../ports/logger.port';
import { backoffMs } from './backoff';
import type { HandlerEnd, SettlementKind } from './decide-settlement';
import type { Holding } from './holding';
import type { HandlerRun } from './run-handler';

/** Requests to record a success; the engine repeats each on its own. About 6 s in all. */
const USED_REQUESTS = 6;
const USED_BACKOFF_MS = 200;

export interface SettlePorts {
  readonly engine: Pick<
    NonceEngine,
    'markUsed' | 'markSubmitted' | 'markRecyclable' | 'quarantine' | 'keepReserved'
  >;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface SettleRequest {
  readonly holding: Holding;
  readonly run: HandlerRun;
  readonly ttlMs: number;
}

type Settlement = Exclude<SettlementKind, 'run-again' | 'allocate-again'>;

/**
 * Records how the handler ended. Resolves with the allocation for `used` and `keep`; rejects with
 * what the caller must know for every other end.
 */
export async function settleAllocation(
  ports: SettlePorts,
  settlement: Settlement,
  request: SettleRequest,
): Promise<Allocation> {
  const { holding, run } = request;
  switch (settlement) {
    case 'used':
      return markUsed(ports, holding, run.end);
    case 'keep':
      return keep(ports, request, 'kept by its handler');
    case 'exhausted': {
      await quietly(ports, holding, () => keep(ports, request, 'retries exhausted'));
      throw retryExhausted(holding.allocation, run);
    }
    case 'recycle':
      await recycle(ports, holding, run.end);
      throw rejectionOf(holding.allocation, run.end);
    case 'quarantine':
      await quietly(ports, holding, () =>
        ports.engine.quarantine(holding.allocation, { reason: reasonOf(run.end) }),
      );
      throw outcomeUnknown(holding, causeOf(run.end));
    case 'exposed':
      await reportAccepted(ports, holding);
      throw outcomeUnknown(holding, causeOf(run.end));
  }
}

/**
 * A success whose record fails must never become a reusable nonce or a second run (I-03): it is
 * repeated, and what is still not recorded then is unknown to the caller.
 */
async function markUsed(
  ports: SettlePorts,
  holding: Holding,
  end: HandlerEnd,
): Promise<Allocation> {
  const { allocation, record } = holding;
  const said = end.kind === 'success' ? end.txHash : undefined;
  const txHash = said ?? record.acceptedHash ?? record.hashes.at(-1);
  for (let request = 1; ; request += 1) {
    try {
      const words: { txHash?: Hex } = txHash === undefined ? {} : { txHash };
      return (await ports.engine.markUsed(allocation, words)).allocation;
    } catch (error) {
      const again = isNonceError(error, 'NONCE_STORE_UNAVAILABLE') && request < USED_REQUESTS;
      if (!again) throw outcomeUnknown(holding, error);
      await ports.clock.sleep(backoffMs(USED_BACKOFF_MS, request));
    }
  }
}

/**
 * Kept for a full ttl, so that the caller has that long to come back.
 * @throws NonceError when it is not kept: the caller must not count on it.
 */
async function keep(
  ports: SettlePorts,
  { holding, run, ttlMs }: SettleRequest,
  otherwise: string,
): Promise<Allocation> {
  const said = run.end.kind === 'keep' || run.end.kind === 'retry' ? run.end.note : undefined;
  const note = said ?? holding.context.noted ?? otherwise;
  return (await ports.engine.keepReserved(holding.allocation, { note, ttlMs })).allocation;
}

/**
 * The store may know of an intent that this process does not, or of another run of the operation:
 * then the nonce is perhaps out, not free, and this run cannot tell how the operation ended.
 */
async function recycle(ports: SettlePorts, holding: Holding, end: HandlerEnd): Promise<void> {
  try {
    const reason = { reason: reasonOf(end) };
    const { allocation } = await ports.engine.markRecyclable(holding.allocation, reason);
    const { stage, source } = allocation;
    if (stage === 'QUARANTINED' && source !== 'replacement') {
      throw new NonceError('NONCE_RECYCLE_UNSAFE');
    }
  } catch (error) {
    if (isNonceError(error, 'NONCE_RECYCLE_UNSAFE')) throw outcomeUnknown(holding, causeOf(end));
    logUnsettled(ports, holding, error);
  }
}

async function reportAccepted(ports: SettlePorts, holding: Holding): Promise<void> {
  const { acceptedHash } = holding.record;
  if (acceptedHash === null) return;
  await quietly(ports, holding, () =>
    ports.engine.markSubmitted(holding.allocation, { txHash: acceptedHash }),
  );
}

/** What could not be recorded here is found by the sweep: the row itself carries its deadline. */
async function quietly(
  ports: SettlePorts,
  holding: Holding,
  command: () => Promise<unknown>,
): Promise<void> {
  try {
    await command();
  } catch (error) {
    logUnsettled(ports, holding, error);
  }
}

function logUnsettled(ports: SettlePorts, { allocation }: Holding, error: unknown): void {
  const { submitter, nonce, id } = allocation;
  ports.logger.warn('an allocation was left to the sweep', {
    submitter,
    nonce,
    allocationId: id,
    reason: isNonceError(error) ? error.code : String(error),
  });
}

function rejectionOf(allocation: Allocation, end: HandlerEnd): unknown {
  if (end.kind === 'fail') return new NonceOperationFailedError(end.reason, allocation);
  return end.kind === 'threw' ? end.error : new NonceError('NONCE_INTERNAL');
}

function retryExhausted(allocation: Allocation, run: HandlerRun): NonceError {
  const { id: allocationId, nonce, submitter } = allocation;
  return new NonceError('NONCE_RETRY_EXHAUSTED', {
    cause: causeOf(run.end),
    context: { allocationId, submitter, nonce, attempts: run.attempts },
  });
}

function outcomeUnknown(holding: Holding, cause: unknown): NonceOutcomeUnknownError {
  // The context's own refusal already says it, with the answer of the node or store as cause.
  if (cause instanceof NonceOutcomeUnknownError && cause.allocationId === holding.allocation.id) {
    return cause;
  }
  return new NonceOutcomeUnknownError(holding.allocation, holding.record.hashes, cause);
}

function causeOf(end: HandlerEnd): unknown {
  if (end.kind === 'threw') return end.error;
  if (end.kind === 'retry') return end.cause;
  return end.kind === 'fail' ? new Error(end.reason) : undefined;
}

function reasonOf(end: HandlerEnd): string {
  if (end.kind === 'fail') return end.reason;
  const cause = causeOf(end);
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : end.kind;
}
