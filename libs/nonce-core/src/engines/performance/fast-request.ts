import type { AllocateRow } from '../../ports/allocation-store.port';
import { newOwnerTokens, type AllocateRequest } from '../../engine-parts/allocation-request';

/** One caller's wish on its way, and what was tried for it already. */
export interface FastRequest extends AllocateRequest {
  row: AllocateRow;
  /** The limits it was refused by were fetched anew. */
  limitsAsked: boolean;
  /** Times that Postgres had given its nonces to somebody else. */
  readonly fenced: number;
}

export function toFastRequest(request: AllocateRequest): FastRequest {
  return { ...request, limitsAsked: false, fenced: 0 };
}

/**
 * Its epoch is of no use any more, but may have granted it nonces in an answer that was lost: one
 * owner token must not come to stand for a nonce of each of two epochs.
 */
export function renewTokens(request: FastRequest): void {
  request.row = { ...request.row, ids: newOwnerTokens(request.row.ids.length) };
}

/** The same wish with other owner tokens: those before belong to nonces of somebody else. */
export function afterFence(request: FastRequest): FastRequest {
  const { row, fenced } = request;
  return {
    ...request,
    row: { ...row, ids: newOwnerTokens(row.ids.length) },
    limitsAsked: false,
    fenced: fenced + 1,
  };
}
