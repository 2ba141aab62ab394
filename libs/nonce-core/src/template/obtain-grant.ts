import type { Allocation } from '../domain/allocation';
import type { ErrorCode } from '../domain/errors/catalogue';
import { isNonceError, NonceError } from '../domain/errors/nonce-error';
import { toNonce } from '../domain/nonce';
import type { Clock } from '../ports/clock.port';
import type { AllocateCommand, Grant, NonceEngine } from '../ports/engine.port';
import { backoffMs } from './backoff';
import type { NonceWork } from './with-nonce';

export interface ObtainPorts {
  readonly engine: Pick<NonceEngine, 'allocate'>;
  readonly clock: Clock;
  readonly backoffMs: number;
}

/** Refusals that wrote nothing and pass by themselves. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'NONCE_IN_FLIGHT_LIMIT',
  'NONCE_PAUSED',
  'NONCE_BACKPRESSURE',
  'NONCE_MODE_SWITCHING',
  'NONCE_CHAIN_UNREACHABLE',
]);

export type SingleGrant = Grant & { readonly allocation: Allocation };

/**
 * One nonce, waiting out refusals that pass, at most `waitMs`. A lost answer is asked for again
 * only under an operation id, or when nothing was written: else a second nonce would be held.
 */
export async function obtainGrant(ports: ObtainPorts, work: NonceWork): Promise<SingleGrant> {
  const giveUpAtMs = ports.clock.monotonicMs() + work.waitMs;
  for (let attempt = 1; ; attempt += 1) {
    if (work.signal?.aborted === true) throw work.signal.reason;
    try {
      const grant = await ports.engine.allocate(commandOf(work));
      const [allocation] = grant.allocations;
      if (allocation === undefined) throw new NonceError('NONCE_INTERNAL');
      return { ...grant, allocation };
    } catch (error) {
      const waitMs = backoffMs(ports.backoffMs, attempt);
      const tooLate = ports.clock.monotonicMs() + waitMs > giveUpAtMs;
      if (tooLate || !passes(error, work)) throw error;
      await ports.clock.sleep(waitMs, work.signal);
    }
  }
}

function passes(error: unknown, work: NonceWork): boolean {
  if (!isNonceError(error)) return false;
  if (error.code === 'NONCE_STORE_UNAVAILABLE') {
    return work.operationId !== undefined || error.context['written'] === 'no';
  }
  return PASSING.has(error.code);
}

function commandOf(work: NonceWork): AllocateCommand {
  return {
    submitter: work.submitter,
    count: 1,
    ttlMs: work.ttlMs,
    exposure: work.exposure,
    ...(work.operationId === undefined ? {} : { operationId: work.operationId }),
    ...(work.startNonce === undefined ? {} : { startNonce: toNonce(work.startNonce) }),
    ...(work.metadata === undefined ? {} : { metadata: work.metadata }),
  };
}
