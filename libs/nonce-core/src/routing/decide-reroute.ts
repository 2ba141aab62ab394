import { isNonceError } from '../domain/errors/nonce-error';
import { isOutpaced } from '../domain/errors/outpaced';

export interface Rerouting {
  /** Time since the caller was refused first, and how long it may wait from then on; milliseconds. */
  readonly waitedMs: number;
  readonly waitMs: number;
  /** Refusals of this call before this one. */
  readonly attempt: number;
  readonly engine: string;
  /** Whether a failing Redis ends in another mode. */
  readonly degrades: boolean;
}

export type RerouteStep =
  /** The error is the caller's. */
  | { readonly kind: 'fail' }
  /** The mode changed, or others were faster: read it, wait that long, and route again. */
  | { readonly kind: 'again'; readonly pauseMs: number }
  /** The mode is about to change: until it does, at most that long. */
  | { readonly kind: 'await-change'; readonly atMostMs: number };

const MIN_PAUSE_MS = 5;
const MAX_PAUSE_MS = 50;
const MAX_AWAIT_MS = 1_000;

/** Stores that only a fast engine needs: where its ceiling is not witnessed it issues nothing. */
const OF_FAST = new Set<unknown>(['redis', 'witness']);

const FAIL: RerouteStep = { kind: 'fail' };

/** What is to be done with a call that an engine did not answer. */
export function decideReroute(error: unknown, call: Rerouting): RerouteStep {
  const leftMs = call.waitMs - call.waitedMs;
  if (leftMs <= 0) return FAIL;
  const isFaster = isNonceError(error) && isOutpaced(error);
  if (isFaster || isNonceError(error, 'NONCE_MODE_SWITCHING')) {
    const pauseMs = Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** Math.min(call.attempt, 10), leftMs);
    return { kind: 'again', pauseMs };
  }
  // What Redis granted and nobody was told is forgotten; Postgres may answer in its place.
  const isAway =
    isNonceError(error, 'NONCE_STORE_UNAVAILABLE') && OF_FAST.has(error.context['store']);
  if (isAway && call.engine === 'performance' && call.degrades) {
    return { kind: 'await-change', atMostMs: Math.min(MAX_AWAIT_MS, leftMs) };
  }
  return FAIL;
}
