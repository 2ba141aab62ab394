import { submitterParts } from '../domain/submitter';
import type { BumpSigning, TransactionSigner } from '../ports/signer.port';
import type { BumpRecord, TrackedAllocation } from '../ports/tracking-store.port';
import type { Decided } from './decided';
import { stuck } from './decide-stuck';
import { pause, type TrackingRules } from './tracking-decision';
import type { TrackingDeps } from './tracking-deps';

const WHY = 'signed again for a higher fee';

/**
 * Lets the same work be signed for more and hands back what is to be sent. Guarantees: a hash is
 * recorded beside the others of its nonce, under the condition that nothing was learned about the
 * nonce meanwhile, before its bytes may leave (S2, S16); whichever of them mines is the verdict.
 */
export class BumpRows {
  constructor(
    private readonly deps: Pick<TrackingDeps, 'store' | 'logger'>,
    private readonly signer: TransactionSigner,
  ) {}

  /** @returns the rows that still need something; one that changed meanwhile is left out. */
  async prepare(
    rows: readonly TrackedAllocation[],
    rules: TrackingRules,
  ): Promise<readonly Decided[]> {
    const signings = await Promise.all(
      rows.map(async (row) => [row, await this.sign(row)] as const),
    );
    const undecided: Decided[] = [];
    const bumps: [TrackedAllocation, BumpRecord][] = [];
    for (const [row, signing] of signings) {
      if (signing.kind === 'signed') bumps.push([row, recordOf(row, signing, rules)]);
      else if (signing.kind === 'refused') {
        undecided.push([row, stuck(row, rules, `no higher fee: ${signing.reason}`)]);
      } else {
        const { submitter, nonce } = row;
        const { cause } = signing;
        this.deps.logger.warn('a higher fee was not signed, it waits', { submitter, nonce, cause });
        undecided.push([row, pause(row, rules)]);
      }
    }
    const written = await this.deps.store.recordBumps(bumps.map(([, bump]) => bump));
    const recorded = bumps.filter(([row]) => written.has(row.id));
    return [
      ...undecided,
      ...recorded.map(([row, bump]) => [bumpedRow(row, bump), { kind: 'resend' }] as const),
    ];
  }

  private async sign(row: TrackedAllocation): Promise<BumpSigning> {
    const { chainId, address } = submitterParts(row.submitter);
    const { nonce, hashes, rawTx } = row;
    if (rawTx === null) return { kind: 'refused', reason: 'its bytes were not stored' };
    return this.signer.bump({ chainId, address, nonce, rawTx, hashes, outbid: [rawTx] });
  }
}

function recordOf(
  row: TrackedAllocation,
  { txHash, rawTx }: Extract<BumpSigning, { kind: 'signed' }>,
  { profile }: TrackingRules,
): BumpRecord {
  const { id, stage: from, hashes } = row;
  const nextLookMs = 2 * profile.pollIntervalMs;
  return { id, from, hashesSeen: hashes.length, txHash, rawTx, reason: WHY, nextLookMs };
}

/** The row as it is once the new hash is recorded. */
function bumpedRow(row: TrackedAllocation, { txHash, rawTx }: BumpRecord): TrackedAllocation {
  const hashes = [...row.hashes, txHash];
  return { ...row, txHash, hashes, rawTx, note: WHY, unchangedMs: 0, stuckMs: null };
}
