import type { AllocationStage } from '../../src/domain/allocation-state';
import { STATUS_OF } from '../../src/domain/allocation-state';
import type { Hex } from '../../src/domain/brand';
import type { Epoch } from '../../src/domain/epoch';
import type { Nonce } from '../../src/domain/nonce';
import { toChainId, type Submitter } from '../../src/domain/submitter';
import type { ChainProfile, ReceiptLookup } from '../../src/ports/chain.port';
import type { TrackedAllocation } from '../../src/ports/tracking-store.port';
import type { ChainEvidence } from '../../src/tracking/chain-evidence';
import type { TrackingRules } from '../../src/tracking/tracking-decision';

export const OWN: Hex = `0x${'a1'.repeat(32)}`;
export const OTHER_OWN: Hex = `0x${'a2'.repeat(32)}`;
const RAW: Hex = '0x02f8';

export function blockHash(number: number, fork = 0): Hex {
  return `0x${fork.toString(16).padStart(32, '0')}${number.toString(16).padStart(32, '0')}`;
}

const PROFILE: ChainProfile = {
  chainId: toChainId(31_337),
  confirmations: 3,
  finalityTag: 'finalized',
  reorgDepth: 10,
  pollIntervalMs: 1_000,
  maxInFlight: 64,
  strictNonce: false,
};

export const RULES: TrackingRules = {
  profile: PROFILE,
  quarantine: { ms: 30_000, release: 'replacement' },
  stuckAfterMs: 600_000,
  burns: false,
  bumps: false,
  attempts: { perMinute: 6, total: 100 },
};

/** Nonce 5 of an account whose count stands at 5, in the given stage with one known hash. */
export function trackedRow(
  stage: AllocationStage,
  overrides: Partial<TrackedAllocation> = {},
): TrackedAllocation {
  const included = stage === 'MINED' || stage === 'CONFIRMED';
  return {
    id: '0190a000-0000-7000-8000-000000000001',
    submitter: `eip155:31337:0x${'11'.repeat(20)}` as Submitter,
    nonce: 5 as Nonce,
    status: STATUS_OF[stage],
    stage,
    source: 'fresh',
    epoch: 1 as Epoch,
    engine: 'reliable',
    exposure: 'declared',
    operationId: null,
    txHash: OWN,
    hashes: [OWN],
    inheritedHashes: 0,
    proof: null,
    note: null,
    deadline: null,
    createdAt: new Date(0),
    updatedAt: new Date(0),
    rawTx: RAW,
    burnHashes: [],
    burnTx: null,
    blockNumber: included ? 100 : null,
    blockHash: included ? blockHash(100) : null,
    chainLatestCount: 5,
    chainFinalizedCount: 4,
    unchangedMs: 0,
    stuckMs: null,
    resends: { total: 0, inMinute: 0 },
    gapNonce: null,
    claim: 'a claim',
    ...overrides,
  };
}

/** A row whose nonce is finally used, at its second look; the reason is that of the first. */
export function consumedRow(
  stage: AllocationStage,
  overrides: Partial<TrackedAllocation> = {},
): TrackedAllocation {
  const note = 'the nonce is used and none of our transactions has a receipt';
  const counts = { chainLatestCount: 6, chainFinalizedCount: 6 };
  return trackedRow(stage, { ...counts, note, stuckMs: 60_000, unchangedMs: 60_000, ...overrides });
}

export function found(number: number, hash: Hex = blockHash(number)): ReceiptLookup {
  return { kind: 'found', blockNumber: number, blockHash: hash, succeeded: true };
}

export const ABSENT: ReceiptLookup = { kind: 'absent' };
export const UNAVAILABLE = {
  kind: 'unavailable',
  cause: 'timeout',
  trouble: 'broken',
} as const satisfies ReceiptLookup;

/** Head at 110, final up to 100, no receipt; the canonical chain is fork 0. */
export function evidenceOf(
  receipts: Readonly<Record<Hex, ReceiptLookup>>,
  overrides: Partial<ChainEvidence> = {},
): ChainEvidence {
  const numbers = Array.from({ length: 30 }, (_, index) => 90 + index);
  return {
    headNumber: 110,
    finalNumber: 100,
    receipts: new Map(Object.entries(receipts) as [Hex, ReceiptLookup][]),
    canonical: new Map(numbers.map((number) => [number, blockHash(number)])),
    pool: null,
    latestCount: null,
    ...overrides,
  };
}
