import type { TrackedAllocation } from '../ports/tracking-store.port';
import type { ChainEvidence } from './chain-evidence';
import {
  blocksToFinality,
  later,
  pause,
  reorged,
  stillOut,
  verdict,
  type Found,
  type Inclusion,
  type Step,
  type TrackingDecision,
  type TrackingRules,
} from './tracking-decision';

const WHY_CONSUMED = 'the nonce is used and none of our transactions has a receipt';

/** An earlier holder's transaction took the nonce: the present holder's work was not done (S5). */
export function decideTaken(
  row: TrackedAllocation,
  { inclusion, evidence, rules }: Found,
): TrackingDecision {
  const { txHash, block } = inclusion;
  if (row.stage === 'MINED' || row.stage === 'CONFIRMED') return reorged(row);
  if (evidence.finalNumber !== null && block.number <= evidence.finalNumber) {
    const reason = 'final by the transaction of an earlier holder';
    return verdict(row, { to: 'CONSUMED_EXTERNAL', reason, txHash, proof: 'receipt' });
  }
  if (row.stage === 'QUARANTINED') return stillOut(row, rules, 'an earlier holder is in a block');
  if (row.txHash !== txHash) {
    // The one that mined is named at once; whose it was becomes the row's stage only at finality.
    const reason = 'the transaction of an earlier holder is in a block';
    return verdict(row, {
      to: row.stage,
      reason,
      txHash,
      nextLookMs: rules.profile.pollIntervalMs,
    });
  }
  return later(blocksToFinality(block.number, evidence), rules.profile);
}

/** The account's count is final beyond this nonce, and none of our hashes has a receipt. */
export function decideConsumed(
  row: TrackedAllocation,
  evidence: ChainEvidence,
  rules: TrackingRules,
): TrackingDecision {
  const secondLookMs = 2 * rules.profile.pollIntervalMs;
  if (row.hashes.length === 0) return pause(row, rules); // alignment has marked it
  if (row.stuckMs === null || row.note !== WHY_CONSUMED) {
    const step: Step = { to: row.stage, reason: WHY_CONSUMED, nextLookMs: secondLookMs };
    return verdict(row, { ...step, stuck: true });
  }
  // Its holder may have sent bytes whose hash nobody was told: only a decision settles that.
  if (mayHaveSentUnknownBytes(row)) return pause(row, rules);
  if (row.unchangedMs < secondLookMs) return { kind: 'wait', nextLookMs: secondLookMs };
  // Providers that lag know neither the receipt nor the count.
  if (evidence.latestCount === null) return { kind: 'look-at-count' };
  if (evidence.latestCount <= row.nonce) return pause(row, rules);
  const reason = 'final by a transaction that is not ours';
  // The proof is the count: it names no transaction, so it settles nothing about earlier holders.
  return verdict(row, { to: 'CONSUMED_EXTERNAL', reason, proof: 'count', nextLookMs: 0 });
}

function mayHaveSentUnknownBytes(row: TrackedAllocation): boolean {
  if (row.mayLackHashes === true) return true;
  // What we burn with says nothing about what the holder sent.
  if (row.hashes.length - row.burnHashes.length > row.inheritedHashes) return false;
  return row.stage === 'ASSERTED' || row.exposure !== 'declared';
}

export function isInherited(row: TrackedAllocation, { txHash }: Inclusion): boolean {
  return row.hashes.indexOf(txHash) < row.inheritedHashes;
}
