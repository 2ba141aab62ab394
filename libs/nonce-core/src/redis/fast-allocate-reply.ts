import type { Epoch } from '../domain/epoch';
import { ERROR_CATALOGUE, type ErrorCode } from '../domain/errors/catalogue';
import { toNonce } from '../domain/nonce';
import type {
  FastAllocateAnswer,
  FastAllocateRow,
  FastGrant,
  StaleReason,
} from '../ports/fast-store.port';
import type { ViewGroup } from './fast-batches';
import { EXPOSURE_LETTERS, eventOf, sourceOf, unreadable } from './fast-grant-reply';

/** Fields of a granted reply before its nonces, and fields of each nonce. */
const GRANTED_HEAD = 5;
const GRANTED_WIDTH = 3;

/** The arguments of one group, as fast-allocate.lua names them. */
export function allocateArguments(
  group: ViewGroup<FastAllocateRow>,
  args: (string | number)[],
): void {
  const { submitter, epoch, incarnation } = group.view;
  args.push(submitter, epoch, incarnation, group.rows.length);
  for (const row of group.rows) {
    const metadata = row.metadata === null ? '' : JSON.stringify(row.metadata);
    args.push(row.operationId ?? '', row.requestHash ?? '', row.ttlMs);
    args.push(EXPOSURE_LETTERS[row.exposure], metadata, row.ids.length, ...row.ids);
  }
}

export function allocateAnswer(row: FastAllocateRow, reply: unknown): FastAllocateAnswer {
  if (!Array.isArray(reply)) throw unreadable(reply);
  const [kind, first, second] = reply as unknown[];
  switch (kind) {
    case 'g':
      return granted(row, reply);
    case 'r':
      return {
        kind: 'granted',
        grants: reply.slice(3).map((fields) => eventOf(fields).grant),
        replayed: true,
        fresh: Number(first),
        free: Number(second),
      };
    case 'f':
      return { kind: 'refill', ceiling: Number(first) };
    case 's': {
      const epoch = Number(second);
      return {
        kind: 'stale',
        reason: first as StaleReason,
        epoch: epoch < 0 ? null : (epoch as Epoch),
      };
    }
    case 'x':
      return refused(first, Number(second));
    default:
      throw unreadable(reply);
  }
}

function granted(row: FastAllocateRow, reply: readonly unknown[]): FastAllocateAnswer {
  const grantedAtMs = Number(reply[3]);
  const deadlineMs = Number(reply[4]);
  const grants = row.ids.map((id, i): FastGrant => {
    const at = GRANTED_HEAD + i * GRANTED_WIDTH;
    return {
      id,
      submitter: row.view.submitter,
      nonce: toNonce(Number(reply[at])),
      epoch: row.view.epoch,
      generation: Number(reply[at + 1]),
      source: sourceOf(reply[at + 2]),
      exposure: row.exposure,
      operationId: row.operationId,
      metadata: row.metadata,
      grantedAtMs,
      deadlineMs,
    };
  });
  const [, fresh, free] = reply;
  return { kind: 'granted', grants, replayed: false, fresh: Number(fresh), free: Number(free) };
}

function refused(code: unknown, available: number): FastAllocateAnswer {
  if (typeof code !== 'string' || !(code in ERROR_CATALOGUE)) throw unreadable(code);
  const context =
    code === 'NONCE_IN_FLIGHT_LIMIT'
      ? { available }
      : code === 'NONCE_BACKPRESSURE'
        ? { store: 'redis', waitingEvents: available }
        : {};
  return { kind: 'refused', code: code as ErrorCode, context };
}
