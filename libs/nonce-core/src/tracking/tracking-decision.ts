import type { Hex } from '../domain/brand';
import type { StuckCause } from '../domain/stuck-answer';
import type { QuarantinePolicy } from '../domain/quarantine-policy';
import type { ChainProfile } from '../ports/chain.port';
import type { TrackedAllocation, TrackingVerdict } from '../ports/tracking-store.port';
import type { ChainEvidence } from './chain-evidence';
import { lookAfterBlocksMs, nextLookMs } from './look-pace';

/**
 * What to do about one nonce. `wait` proves nothing and changes nothing; `look-in-pool` and
 * `look-at-count` ask for one more piece of evidence; `resend` sends the stored bytes again, never
 * others; `bump` lets the same payload be signed again for more; `burn` closes the nonce with a
 * transaction of our own. `stuck` names why a nonce that is exposed gets no further.
 */
export type TrackingDecision =
  | { readonly kind: 'verdict'; readonly verdict: TrackingVerdict; readonly stuck?: StuckCause }
  | { readonly kind: 'wait'; readonly nextLookMs: number; readonly stuck?: StuckCause }
  | { readonly kind: 'look-in-pool' }
  | { readonly kind: 'look-at-count' }
  | { readonly kind: 'resend' }
  | { readonly kind: 'bump' }
  | { readonly kind: 'burn' };

type VerdictDecision = Extract<TrackingDecision, { kind: 'verdict' }>;
type WaitDecision = Extract<TrackingDecision, { kind: 'wait' }>;
export type SettledDecision = VerdictDecision | WaitDecision;

export interface TrackingRules {
  readonly profile: ChainProfile;
  readonly quarantine: QuarantinePolicy;
  /** Time without any news after which somebody should be told. */
  readonly stuckAfterMs: number;
  /** Somebody here can sign burns. */
  readonly burns: boolean;
  /** Somebody here can sign again for a higher fee. */
  readonly bumps: boolean;
  readonly attempts: AttemptBounds;
}

/** How often the bytes of one nonce are sent again. */
export interface AttemptBounds {
  /** Within any minute; the next look comes later then. */
  readonly perMinute: number;
  /** Since the row's bytes were recorded; then somebody has to decide, and only receipts are looked at. */
  readonly total: number;
}

export interface Inclusion {
  readonly txHash: Hex;
  readonly block: { readonly number: number; readonly hash: Hex };
}
export interface Found {
  readonly inclusion: Inclusion;
  readonly evidence: ChainEvidence;
  readonly rules: TrackingRules;
}

export type Step = Pick<TrackingVerdict, 'to' | 'reason'> & Partial<TrackingVerdict>;

/** Known bytes are out: the release as a replacement begins anew. */
export function stillOut(
  row: TrackedAllocation,
  rules: TrackingRules,
  reason: string,
): TrackingDecision {
  const { ms, release } = rules.quarantine;
  const look = Math.max(rules.profile.pollIntervalMs, Math.floor(ms / 2));
  const step: Step = { to: 'QUARANTINED', reason, nextLookMs: look };
  return verdict(row, release === 'replacement' ? { ...step, releaseAfterMs: ms } : step);
}

export function reorged(row: TrackedAllocation): TrackingDecision {
  const reason = `block ${String(row.blockNumber)} was replaced`;
  return verdict(row, { to: 'BROADCAST', reason, nextLookMs: 0 });
}

export function blocksToFinality(blockNumber: number, heights: ChainEvidence): number {
  return heights.finalNumber === null ? 1 : blockNumber - heights.finalNumber;
}

export function later(blocks: number, profile: ChainProfile): TrackingDecision {
  return { kind: 'wait', nextLookMs: lookAfterBlocksMs(blocks, profile.pollIntervalMs) };
}

export function pause(row: TrackedAllocation, { profile }: TrackingRules): WaitDecision {
  return { kind: 'wait', nextLookMs: nextLookMs(row.unchangedMs, profile.pollIntervalMs) };
}

export function verdict(row: TrackedAllocation, step: Step): VerdictDecision {
  const base = { id: row.id, from: row.stage, nextLookMs: 0, hashesSeen: row.hashes.length };
  return { kind: 'verdict', verdict: { ...base, ...step } };
}
