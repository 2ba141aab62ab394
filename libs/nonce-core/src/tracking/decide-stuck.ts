import type { StuckCause } from '../domain/stuck-answer';
import type { TrackedAllocation } from '../ports/tracking-store.port';
import { nextLookMs } from './look-pace';
import {
  pause,
  verdict,
  type SettledDecision,
  type TrackingDecision,
  type TrackingRules,
} from './tracking-decision';

/** Why a transaction that a node took makes no progress, by what the pools say of it. */
const WHY_STUCK = {
  pooled: 'in a pool for long; its fee may be too low',
  mined: 'reported as mined, without a receipt',
  absent: 'in no pool known to us, and its bytes were not stored',
  unavailable: 'no provider answers',
} as const;

/** Nothing new, for so long that somebody should be told. */
export function orStuck(
  row: TrackedAllocation,
  rules: TrackingRules,
  pool: keyof typeof WHY_STUCK,
): TrackingDecision {
  const cause: StuckCause = pool === 'pooled' ? 'fee-too-low' : 'unknown';
  if (row.stuckMs !== null) return { ...pause(row, rules), stuck: cause };
  if (row.unchangedMs < rules.stuckAfterMs) return pause(row, rules);
  return { ...stuck(row, rules, WHY_STUCK[pool]), stuck: cause };
}

/**
 * Needs a decision: told once per reason, then looked at ever more rarely, by how long it has waited
 * for the decision already.
 */
export function stuck(
  row: TrackedAllocation,
  rules: TrackingRules,
  reason: string,
): SettledDecision {
  const waitedMs = row.stuckMs ?? row.unchangedMs;
  const look = nextLookMs(waitedMs, rules.profile.pollIntervalMs);
  if (row.stuckMs !== null && row.note === reason) return { kind: 'wait', nextLookMs: look };
  return verdict(row, { to: row.stage, reason, stuck: true, nextLookMs: look });
}

/** Somebody's transaction took this nonce, as far as the last alignment knew. */
export function isUsed(row: TrackedAllocation): boolean {
  return row.chainLatestCount !== null && row.chainLatestCount > row.nonce;
}
