import { decideAfterSubmission } from '../domain/decide-after-submission';
import type { SubmissionReport } from '../ports/chain.port';
import type { TrackedAllocation } from '../ports/tracking-store.port';
import type { StuckCause } from '../domain/stuck-answer';
import { mayBump } from './decide-bump';
import { decideAfterBurn } from './decide-burn';
import { stuck as stuckFor } from './decide-stuck';
import { pause, verdict, type TrackingDecision, type TrackingRules } from './tracking-decision';

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
  if (row.stage !== 'INTENT' && row.stage !== 'BROADCAST') return pause(row, rules);
  const poll = rules.profile.pollIntervalMs;
  const base = { id: row.id, from: row.stage, hashesSeen: row.hashes.length };
  const { stage, next } = decideAfterSubmission(row.stage, report.outcome);
  const detail = report.detail ?? report.outcome;
  switch (next) {
    case 'follow': {
      if (stage === row.stage && row.stuckMs === null) return { kind: 'wait', nextLookMs: poll };
      if (stage === row.stage) {
        const reason = 'a node took its bytes again';
        return verdict(row, { to: stage, reason, stuck: false, nextLookMs: poll });
      }
      const reason = 'stored bytes sent again';
      return { kind: 'verdict', verdict: { ...base, to: stage, reason, nextLookMs: poll } };
    }
    case 'burn':
      return stuck(`can never execute: ${detail}`, 'never-executable');
    case 'look-up-hashes':
      // The receipt may be one look away; if it is not, finality decides, and there is no hurry.
      return pause(row, rules);
    case 'bump-fee':
      // What holds the nonce there may be ours: the same work for more gets past it (I-22).
      return mayBump(row, rules) ? { kind: 'bump' } : notAccepted('fee-too-low');
    case 'hold-head':
      return notAccepted(report.lacks === 'fee' ? 'fee-too-low' : 'not-accepted');
    case 'retry-same-bytes':
    case 'shrink-window':
      return notAccepted('not-accepted');
  }

  function notAccepted(cause: StuckCause): TrackingDecision {
    const patient = row.stuckMs === null && row.unchangedMs < rules.stuckAfterMs;
    return patient ? pause(row, rules) : stuck(`not accepted for long: ${detail}`, cause);
  }

  function stuck(reason: string, cause: StuckCause): TrackingDecision {
    if (row.stuckMs === null) return { ...stuckFor(row, rules, reason), stuck: cause };
    return { ...pause(row, rules), stuck: cause };
  }
}
