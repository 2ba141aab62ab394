import type { TrackedAllocation } from '../ports/tracking-store.port';
import { stuck } from './decide-stuck';
import { pause, type TrackingDecision, type TrackingRules } from './tracking-decision';

const MINUTE_MS = 60_000;

/** What this look has learned about the lower nonces of the same account. */
export interface LowerNonces {
  /** One of them was sent again and no node took it. */
  readonly refused: boolean;
  /** Those that a node took. */
  readonly out: ReadonlySet<number>;
}

/**
 * Whether stored bytes are kept back now (L12); null when they may be sent. Above a nonce that is not
 * out nothing can mine, so sending there again is of no use until the gap moves.
 */
export function decideSend(
  row: TrackedAllocation,
  lower: LowerNonces,
  rules: TrackingRules,
): TrackingDecision | null {
  const { total, inMinute } = row.resends;
  if (total >= rules.attempts.total) {
    const reason = `sent again ${total} times, which is the bound`;
    return { ...stuck(row, rules, reason), stuck: 'attempts-spent' };
  }
  if (isAboveGap(row, lower)) return pause(row, rules);
  if (inMinute >= rules.attempts.perMinute) {
    const paceMs = Math.ceil(MINUTE_MS / rules.attempts.perMinute);
    return { kind: 'wait', nextLookMs: Math.max(paceMs, pause(row, rules).nextLookMs) };
  }
  return null;
}

function isAboveGap({ gapNonce, nonce }: TrackedAllocation, lower: LowerNonces): boolean {
  if (lower.refused) return true;
  return gapNonce !== null && gapNonce < nonce && !lower.out.has(gapNonce);
}
