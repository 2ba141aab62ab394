import { decideAfterSubmission } from '../domain/decide-after-submission';
import type { SubmissionReport } from '../ports/chain.port';
import type { TrackedAllocation } from '../ports/tracking-store.port';
import { decideAfterBurn } from './decide-burn';
import type { TrackingDecision, TrackingRules } from './tracking-decision';
import { nextLookMs } from './look-pace';

/**
 * What follows from one node's answer to stored bytes that were sent again. Only acceptance moves
 * the row; every other answer leaves it exposed, to be looked at or sent again later.
 */
export function decideAfterResend(
  row: TrackedAllocation,
  report: SubmissionReport,
  rules: TrackingRules,
): TrackingDecision {
  if (row.stage === 'BURNING') return decideAfterBurn(row, report, rules);
  if (row.stage !== 'INTENT' && row.stage !== 'BROADCAST') return wait(row, rules);
  const poll = rules.profile.pollIntervalMs;
  const base = { id: row.id, from: row.stage, hashesSeen: row.hashes.length };
  const { stage, next } = decideAfterSubmission(row.stage, report.outcome);
  const detail = report.detail ?? report.outcome;
  switch (next) {
    case 'follow': {
      if (stage === row.stage) return { kind: 'wait', nextLookMs: poll };
      const reason = 'stored bytes sent again';
      return { kind: 'verdict', verdict: { ...base, to: stage, reason, nextLookMs: poll } };
    }
    case 'burn':
      return stuck(`can never execute: ${detail}`);
    case 'look-up-hashes':
      // The receipt may be one look away; if it is not, finality decides, and there is no hurry.
      return wait(row, rules);
    default:
      if (row.stuckMs === null && row.unchangedMs >= rules.stuckAfterMs) {
        return stuck(`not accepted for long: ${detail}`);
      }
      return wait(row, rules);
  }

  function stuck(reason: string): TrackingDecision {
    const look = nextLookMs(row.unchangedMs, poll);
    if (row.stuckMs !== null) return { kind: 'wait', nextLookMs: look };
    const to = row.stage;
    return { kind: 'verdict', verdict: { ...base, to, reason, stuck: true, nextLookMs: look } };
  }
}

function wait(row: TrackedAllocation, rules: TrackingRules): TrackingDecision {
  return { kind: 'wait', nextLookMs: nextLookMs(row.unchangedMs, rules.profile.pollIntervalMs) };
}
