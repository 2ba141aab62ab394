import { v7 as uuidV7 } from 'uuid';
import { ALLOCATION_LIMITS } from '../domain/allocation';
import { NonceError, type FieldProblem } from '../domain/errors/nonce-error';
import { toNonce, type Nonce } from '../domain/nonce';
import { submitterParts } from '../domain/submitter';
import type { AllocateRow } from '../ports/allocation-store.port';
import type { ChainRegistry } from '../ports/chain.port';
import type { AllocateCommand } from '../ports/engine.port';

/** One caller's wish with its owner tokens: repeated with the same tokens it is the same wish. */
export interface AllocateRequest {
  readonly row: AllocateRow;
  readonly startNonce: Nonce | undefined;
}

/** Text that Postgres cannot store exactly: NUL, and halves of surrogate pairs. */
const UNSTORABLE = /[\0\p{Cs}]/u;

/** @throws NonceError NONCE_VALIDATION with every problem, or NONCE_OUT_OF_RANGE; nothing was asked yet. */
export function toAllocateRequest(
  command: AllocateCommand,
  chains: ChainRegistry,
): AllocateRequest {
  const chain = chains.find(submitterParts(command.submitter).chainId);
  refuseProblems(command);
  if (command.startNonce !== undefined) toNonce(command.startNonce);
  return {
    row: {
      submitter: command.submitter,
      ids: newOwnerTokens(command.count),
      operationId: command.operationId ?? null,
      requestHash: command.requestHash ?? null,
      ttlMs: command.ttlMs,
      exposure: command.exposure,
      metadata: command.metadata ?? null,
      ...(chain === undefined ? {} : { maxInFlight: chain.profile.maxInFlight }),
      ...(chain?.profile.strictNonce === true ? { strictNonce: true } : {}),
    },
    startNonce: command.startNonce,
  };
}

export function ttlProblem(ttlMs: number): FieldProblem | undefined {
  const { minTtlMs, maxTtlMs } = ALLOCATION_LIMITS;
  if (isIntegerIn(ttlMs, minTtlMs, maxTtlMs)) return undefined;
  return { pointer: '/ttlMs', detail: `must be an integer from ${minTtlMs} to ${maxTtlMs}` };
}

function refuseProblems(command: AllocateCommand): void {
  const errors = [
    countProblem(command),
    ttlProblem(command.ttlMs),
    operationProblem(command),
  ].filter((problem) => problem !== undefined);
  if (errors.length > 0) throw new NonceError('NONCE_VALIDATION', { errors });
}

function countProblem({ count }: AllocateCommand): FieldProblem | undefined {
  if (isIntegerIn(count, 1, ALLOCATION_LIMITS.maxCount)) return undefined;
  return {
    pointer: '/count',
    detail: `must be an integer from 1 to ${ALLOCATION_LIMITS.maxCount}`,
  };
}

function operationProblem({ operationId }: AllocateCommand): FieldProblem | undefined {
  if (operationId === undefined) return undefined;
  const limit = ALLOCATION_LIMITS.maxOperationIdLength;
  if (typeof operationId !== 'string' || operationId === '' || operationId.length > limit) {
    return { pointer: '/operationId', detail: `must be text of 1 to ${limit} characters` };
  }
  if (!UNSTORABLE.test(operationId)) return undefined;
  return { pointer: '/operationId', detail: 'must not hold NUL or broken surrogate pairs' };
}

function isIntegerIn(value: number, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= min && value <= max;
}

/** Version 7 keeps tokens in creation order, so that their index grows at one end. */
export function newOwnerTokens(count: number): readonly string[] {
  const ids: string[] = [];
  for (let i = 0; i < count; i += 1) ids.push(uuidV7());
  return ids;
}
