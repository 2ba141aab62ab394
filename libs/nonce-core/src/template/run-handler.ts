import { isNonceOutcome, type NonceOutcome } from '../domain/nonce-outcome';
import { RetryableNonceError } from '../domain/errors/handler-errors';
import type { Clock } from '../ports/clock.port';
import type { Metrics } from '../ports/metrics.port';
import { classifyHandlerError } from './classify-handler-error';
import {
  decideSettlement,
  mayHaveSent,
  type HandlerEnd,
  type SettlementKind,
} from './decide-settlement';
import { backoffMs } from './backoff';
import type { CurrentHandler } from './current-handler';
import type { Holding } from './holding';
import type { NonceHandler } from './with-nonce';

export interface RunPorts {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly current: CurrentHandler;
  readonly backoffMs: number;
}

export interface HandlerRun {
  readonly end: HandlerEnd;
  readonly settlement: SettlementKind;
  readonly attempts: number;
}

/** Runs the handler, and again with the same nonce while it asks for that and may. */
export async function runHandler<T>(
  ports: RunPorts,
  holding: Holding,
  handler: NonceHandler<T>,
): Promise<HandlerRun> {
  for (let attempt = 1; ; attempt += 1) {
    holding.context.attempt = attempt;
    const end = await runOnce(ports, holding, handler);
    const facts = holding.facts(attempt);
    const settlement = decideSettlement(end, facts);
    if (settlement !== 'run-again') return { end, settlement, attempts: attempt };
    const verdict = end.kind === 'retry' ? end.verdict : 'exposed';
    const wait = backoffMs(ports.backoffMs, attempt);
    await ports.clock.sleep(wait, holding.context.signal);
    if (holding.context.signal.aborted) return { end, settlement: 'exhausted', attempts: attempt };
    holding.record.beginRun(mayHaveSent(verdict, facts));
  }
}

async function runOnce<T>(
  ports: RunPorts,
  { context }: Holding,
  handler: NonceHandler<T>,
): Promise<HandlerEnd> {
  const startedAtMs = ports.clock.monotonicMs();
  let end: HandlerEnd;
  try {
    const returned = await ports.current.run(context, () => handler(context));
    end = isNonceOutcome(returned) ? endOf(returned) : success(returned);
  } catch (error) {
    end = endOfError(error);
  }
  const seconds = (ports.clock.monotonicMs() - startedAtMs) / 1_000;
  ports.metrics.observe('nonce_handler_duration_seconds', { outcome: end.kind }, seconds);
  return end;
}

function success(value: unknown): HandlerEnd {
  return { kind: 'success', value, txHash: undefined };
}

function endOf(outcome: NonceOutcome<unknown>): HandlerEnd {
  switch (outcome.kind) {
    case 'success':
      return { kind: 'success', value: outcome.value, txHash: outcome.txHash };
    case 'retry':
      // Why it wants a retry is not known: a send may have timed out.
      return { kind: 'retry', note: outcome.note, verdict: 'exposed', cause: undefined };
    case 'keep':
      return { kind: 'keep', note: outcome.note };
    case 'fail':
      return { kind: 'fail', reason: outcome.reason };
  }
}

function endOfError(error: unknown): HandlerEnd {
  if (!(error instanceof RetryableNonceError)) {
    return { kind: 'threw', error, verdict: classifyHandlerError(error) };
  }
  const verdict = error.cause === undefined ? 'exposed' : classifyHandlerError(error.cause);
  return { kind: 'retry', note: error.message, verdict, cause: error };
}
