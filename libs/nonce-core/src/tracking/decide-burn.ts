import type { SubmissionReport } from '../ports/chain.port';
import type { TrackedAllocation } from '../ports/tracking-store.port';
import type { ChainEvidence } from './chain-evidence';
import { isUsed, orStuck, stuck } from './decide-stuck';
import { nextLookMs } from './look-pace';
import {
  blocksToFinality,
  later,
  pause,
  reorged,
  verdict,
  type Found,
  type TrackingDecision,
  type TrackingRules,
} from './tracking-decision';

/** Each one pays at least an eighth more than the one before: ten of them treble the fee, and no more. */
const MAX_BURNS_PER_NONCE = 10;

/** A quarantined nonce about which nothing was found: its release is due, or somebody has to decide. */
export function decideRelease(row: TrackedAllocation, rules: TrackingRules): TrackingDecision {
  const { ms, release } = rules.quarantine;
  if (release === 'replacement') return pause(row, rules); // the allocation's to do
  const due = row.stuckMs !== null || row.unchangedMs >= ms;
  if (!due) return pause(row, rules);
  if (release === 'hold') {
    if (row.stuckMs !== null) return pause(row, rules);
    return stuck(row, rules, 'no evidence came, and the policy is to hold');
  }
  // The receipt of whatever took the nonce may only be late.
  if (isUsed(row)) return pause(row, rules);
  if (!rules.burns) return stuck(row, rules, 'no evidence came, and no signer for burns is here');
  return { kind: 'burn' };
}

/** Our burn is recorded and in no block: it waits, is sent again, or is outbid by another of ours. */
export function decideBurning(
  row: TrackedAllocation,
  evidence: ChainEvidence,
  rules: TrackingRules,
): TrackingDecision {
  if (row.unchangedMs < 2 * rules.profile.pollIntervalMs) return pause(row, rules);
  if (evidence.pool === null) return { kind: 'look-in-pool' };
  if (mayPayMore(row, rules)) return { kind: 'burn' };
  if (evidence.pool === 'absent' && row.burnTx !== null) return { kind: 'resend' };
  return orStuck(row, rules, evidence.pool);
}

/**
 * Only the lowest open nonce can be held up by its own fee; behind another one a higher fee buys
 * nothing. A burn that is stuck is waited for: it lacks something else than a fee.
 */
function mayPayMore(row: TrackedAllocation, rules: TrackingRules): boolean {
  const patient = row.stuckMs !== null || row.unchangedMs < rules.stuckAfterMs;
  const isHead = row.chainLatestCount === row.nonce;
  return !patient && isHead && rules.burns && row.burnHashes.length < MAX_BURNS_PER_NONCE;
}

/** One of our burns is in a block: whoever held the nonce did not succeed by it. */
export function decideBurned(
  row: TrackedAllocation,
  { inclusion, evidence, rules }: Found,
): TrackingDecision {
  const { txHash, block } = inclusion;
  const final = evidence.finalNumber !== null && block.number <= evidence.finalNumber;
  const atFinality = later(blocksToFinality(block.number, evidence), rules.profile);
  switch (row.stage) {
    case 'MINED':
    case 'CONFIRMED':
      return reorged(row);
    case 'INTENT':
    case 'BROADCAST':
    case 'QUARANTINED':
      // A reorg had brought back what was sent before the burn; the burn mined after all.
      return verdict(row, { to: 'BURNING', reason: 'our burn is in a block', txHash });
    case 'BURNING': {
      if (final) {
        const reason = 'closed by our own transfer of nothing';
        return verdict(row, { to: 'BURNT', reason, txHash, block, proof: 'receipt' });
      }
      if (row.txHash === txHash && row.stuckMs === null) return atFinality;
      const { pollIntervalMs: nextLookMs } = rules.profile;
      const reason = 'our burn is in a block';
      return verdict(row, { to: 'BURNING', reason, txHash, stuck: false, nextLookMs });
    }
    default: {
      if (!final) return atFinality;
      const reason = 'closed by our own transfer of nothing';
      return verdict(row, { to: 'CONSUMED_EXTERNAL', reason, txHash, proof: 'receipt' });
    }
  }
}

/** What follows from a node's answer to our burn. Nothing here frees the nonce. */
export function decideAfterBurn(
  row: TrackedAllocation,
  report: SubmissionReport,
  rules: TrackingRules,
): TrackingDecision {
  const detail = report.detail ?? report.outcome;
  const { pollIntervalMs } = rules.profile;
  switch (report.outcome) {
    case 'accepted':
    case 'already-known': {
      if (row.stuckMs === null) return { kind: 'wait', nextLookMs: pollIntervalMs };
      const step = { to: row.stage, reason: 'a node took our burn', nextLookMs: pollIntervalMs };
      return verdict(row, { ...step, stuck: false });
    }
    case 'not-accepted-now': // most often: the account cannot pay
      return stuck(row, rules, `the burn is not accepted: ${detail}`);
    case 'never-executable':
      return stuck(row, rules, `the burn can never execute: ${detail}`);
    case 'nonce-too-low':
    case 'replacement-underpriced':
    case 'in-flight-limit':
    case 'nonce-too-high':
    case 'unknown':
      return { kind: 'wait', nextLookMs: nextLookMs(row.unchangedMs, pollIntervalMs) };
  }
}
