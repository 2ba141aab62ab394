import type { AllocationStage } from '../domain/allocation-state';
import type { ReceiptLookup } from '../ports/chain.port';
import type { TrackedAllocation, TrackingVerdict } from '../ports/tracking-store.port';
import type { ChainEvidence } from './chain-evidence';
import { decideBurned, decideBurning, decideRelease } from './decide-burn';
import { decideConsumed, decideTaken, isInherited } from './decide-taken';
import { isUsed, orStuck, stuck } from './decide-stuck';
import { lookAfterTroubleMs } from './look-pace';
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

type Unanswered = Extract<ReceiptLookup, { readonly kind: 'unavailable' }>;

/** The stages that only a receipt led to, and that only its disappearance leads back from. */
type IncludedStage = 'MINED' | 'CONFIRMED';

/**
 * Decides from evidence alone (S5, S6, S15): success needs a receipt of one of our hashes in the
 * canonical chain; an answer that is missing or contradicts another decides nothing; the count
 * decides only against a nonce whose hashes all lack a receipt, at finality, and at a second look.
 */
export function decideTracking(
  row: TrackedAllocation,
  evidence: ChainEvidence,
  rules: TrackingRules,
): TrackingDecision {
  const inclusion = findInclusion(evidence);
  if (inclusion !== null) {
    const found = { inclusion, evidence, rules };
    if (row.burnHashes.includes(inclusion.txHash)) return decideBurned(row, found);
    return isInherited(row, inclusion) ? decideTaken(row, found) : decideIncluded(row, found);
  }
  const answers = [...evidence.receipts.values()];
  const unanswered = answers.filter((answer) => answer.kind === 'unavailable');
  if (unanswered.length > 0) return decideUnanswered(row, unanswered, rules);
  // A receipt outside the canonical chain: providers disagree, or it was just replaced.
  if (answers.some((answer) => answer.kind !== 'absent')) return pause(row, rules);
  if (row.stage === 'MINED' || row.stage === 'CONFIRMED') {
    return decideVanished(row, row.stage, { evidence, rules });
  }
  if (row.chainFinalizedCount !== null && row.chainFinalizedCount > row.nonce) {
    return decideConsumed(row, evidence, rules);
  }
  return decideAbsent(row, evidence, rules);
}

/** Nobody could say: nothing is decided, and how soon to ask again depends on why. */
function decideUnanswered(
  row: TrackedAllocation,
  answers: readonly Unanswered[],
  rules: TrackingRules,
): TrackingDecision {
  const { pollIntervalMs } = rules.profile;
  const troubles = answers.map(({ trouble }) => trouble);
  const [first] = answers;
  if (first !== undefined && troubles.every((trouble) => trouble === 'bad-request')) {
    return stuck(row, rules, `the provider refuses to look up its receipt: ${first.cause}`);
  }
  const trouble = troubles.includes('broken') ? 'broken' : 'rate-limited';
  return { kind: 'wait', nextLookMs: lookAfterTroubleMs(trouble, row.unchangedMs, pollIntervalMs) };
}

function decideIncluded(row: TrackedAllocation, found: Found): TrackingDecision {
  const { inclusion, evidence } = found;
  const { profile } = found.rules;
  const { number, hash } = inclusion.block;
  const depth = evidence.headNumber - number;
  const final = evidence.finalNumber !== null && number <= evidence.finalNumber;
  const confirmed = final || depth >= profile.confirmations;
  const step = (to: AllocationStage, reason: string, more: Partial<TrackingVerdict> = {}) =>
    verdict(row, { to, reason, ...inclusion, nextLookMs: profile.pollIntervalMs, ...more });
  switch (row.stage) {
    case 'MINED':
    case 'CONFIRMED':
      if (row.blockHash !== hash) return reorged(row);
      if (row.stage === 'MINED' && confirmed) {
        return step('CONFIRMED', `${depth} confirmations`, final ? { nextLookMs: 0 } : {});
      }
      if (row.stage === 'CONFIRMED' && final) return step('FINAL', 'final', { proof: 'receipt' });
      return later(
        row.stage === 'MINED' ? profile.confirmations - depth : blocksToFinality(number, evidence),
        profile,
      );
    case 'ASSERTED':
      if (final) return step('FINAL', 'final', { proof: 'receipt' });
      return later(blocksToFinality(number, evidence), profile);
    default:
      return step('MINED', `included in block ${number}`, confirmed ? { nextLookMs: 0 } : {});
  }
}

/** The block of a nonce we saw included is no longer there, or is merely out of a lagging view. */
function decideVanished(
  row: TrackedAllocation,
  stage: IncludedStage,
  seen: { readonly evidence: ChainEvidence; readonly rules: TrackingRules },
): TrackingDecision {
  const now = row.blockNumber === null ? null : seen.evidence.canonical.get(row.blockNumber);
  // No block at that height is what a provider that lags would say too; another block is proof.
  if (now === null || now === undefined || now === row.blockHash) return pause(row, seen.rules);
  return reorged({ ...row, stage });
}

/**
 * No receipt, and nothing final. The known latest count does not keep stored bytes from being sent
 * again: after a reorg it is too high, and a node that knows better answers "nonce too low". It does
 * keep a hash from being given up: the receipt may only be late.
 */
function decideAbsent(
  row: TrackedAllocation,
  evidence: ChainEvidence,
  rules: TrackingRules,
): TrackingDecision {
  const unseenAfterMs = 2 * rules.profile.pollIntervalMs;
  switch (row.stage) {
    case 'INTENT':
      // The holder's time is over. The same bytes may always be sent again.
      if (row.rawTx !== null) return { kind: 'resend' };
      if (evidence.pool === null) return { kind: 'look-in-pool' };
      if (evidence.pool === 'absent' && isUsed(row)) return pause(row, rules);
      return decideHashOnlyIntent(row, evidence, rules);
    case 'BURNING':
      return decideBurning(row, evidence, rules);
    case 'BROADCAST':
      if (row.unchangedMs < unseenAfterMs) return pause(row, rules);
      if (evidence.pool === null) return { kind: 'look-in-pool' };
      if (evidence.pool === 'absent' && row.rawTx !== null) return { kind: 'resend' };
      return orStuck(row, rules, evidence.pool);
    case 'QUARANTINED':
      return decideQuarantined(row, evidence, rules);
    default:
      return pause(row, rules);
  }
}

function decideHashOnlyIntent(
  row: TrackedAllocation,
  evidence: ChainEvidence,
  rules: TrackingRules,
): TrackingDecision {
  switch (evidence.pool) {
    case 'pooled': {
      const look = rules.profile.pollIntervalMs;
      return verdict(row, { to: 'BROADCAST', reason: 'found in a pool', nextLookMs: look });
    }
    case 'absent': {
      const { ms, release } = rules.quarantine;
      const reason = 'its holder is gone, and no pool or block has its hash';
      // The next look comes before the release, so that late evidence still counts.
      const step: Step = { to: 'QUARANTINED', reason, nextLookMs: Math.floor(ms / 2) };
      return verdict(row, release === 'replacement' ? { ...step, releaseAfterMs: ms } : step);
    }
    default:
      return pause(row, rules);
  }
}

function decideQuarantined(
  row: TrackedAllocation,
  evidence: ChainEvidence,
  rules: TrackingRules,
): TrackingDecision {
  if (row.hashes.length > 0) {
    if (evidence.pool === null) return { kind: 'look-in-pool' };
    if (evidence.pool === 'pooled' || evidence.pool === 'mined') {
      return stillOut(row, rules, 'still in a pool');
    }
    if (evidence.pool === 'unavailable') return pause(row, rules);
  }
  return decideRelease(row, rules);
}

/** The first hash with a receipt in the canonical chain. */
function findInclusion(evidence: ChainEvidence): Inclusion | null {
  for (const [txHash, lookup] of evidence.receipts) {
    if (lookup.kind !== 'found') continue;
    if (evidence.canonical.get(lookup.blockNumber) !== lookup.blockHash) continue;
    return { txHash, block: { number: lookup.blockNumber, hash: lookup.blockHash } };
  }
  return null;
}
