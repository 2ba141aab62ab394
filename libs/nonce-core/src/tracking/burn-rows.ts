import type { Decided } from './decided';
import type { ConfiguredChain } from '../ports/chain.port';
import { submitterParts } from '../domain/submitter';
import type { BurnSigner, BurnSigning } from '../ports/burn-signer.port';
import type { BurnRecord, TrackedAllocation } from '../ports/tracking-store.port';
import { announceVerdicts } from './announce-verdicts';
import { stuck } from './decide-stuck';
import { pause, type TrackingRules } from './tracking-decision';
import type { TrackingDeps } from './tracking-deps';

type BurnDeps = Pick<TrackingDeps, 'store' | 'events' | 'metrics' | 'logger'>;

const WHY = 'no evidence came: closing it by a transfer of nothing';
const WHY_GIVEN_UP = 'its bytes are given up: closing it by a transfer of nothing';

/**
 * Fences the holders of nonces that are to be closed, and hands back what is to be sent for them.
 * Guarantees: bytes are recorded, under the condition that nothing was learned about the nonce
 * meanwhile, before anybody may send them (I-31, S16); whoever dies then leaves bytes that the next
 * look sends again. A refused or missing signature changes nothing but the next look.
 */
export class BurnRows {
  constructor(
    private readonly deps: BurnDeps,
    private readonly signer: BurnSigner,
  ) {}

  /** @returns the rows that still need something; one that its holder settled meanwhile is left out. */
  async prepare(
    rows: readonly TrackedAllocation[],
    { profile }: Pick<ConfiguredChain, 'profile'>,
    rules: TrackingRules,
  ): Promise<readonly Decided[]> {
    const signings = await Promise.all(
      rows.map(async (row) => [row, await this.sign(row)] as const),
    );
    const undecided: Decided[] = [];
    const burns: [TrackedAllocation, BurnRecord][] = [];
    for (const [row, signing] of signings) {
      if (signing.kind === 'signed') {
        burns.push([
          row,
          { ...recordOf(row, signing, 2 * profile.pollIntervalMs), reason: whyBurn(row) },
        ]);
      } else if (signing.kind === 'refused') {
        undecided.push([row, stuck(row, rules, `no burn: ${signing.reason}`)]);
      } else {
        this.reportUnsigned(row, signing.cause);
        undecided.push([row, pause(row, rules)]);
      }
    }
    const recorded = await this.record(burns);
    return [...undecided, ...recorded.map((row) => [row, { kind: 'resend' }] as const)];
  }

  private sign(row: TrackedAllocation): Promise<BurnSigning> {
    const { chainId, address } = submitterParts(row.submitter);
    const { nonce, hashes, rawTx, burnTx } = row;
    const outbid = [rawTx, burnTx].filter((bytes) => bytes !== null);
    return this.signer.sign({ chainId, address, nonce, hashes, outbid });
  }

  private async record(
    burns: readonly (readonly [TrackedAllocation, BurnRecord])[],
  ): Promise<readonly TrackedAllocation[]> {
    const written = await this.deps.store.recordBurns(burns.map(([, burn]) => burn));
    const recorded = burns.filter(([row]) => written.has(row.id));
    announceVerdicts(
      recorded.map(([row, burn]) => ({ ...burn, from: row.stage, to: 'BURNING' })),
      new Map(recorded.map(([row]) => [row.id, row])),
      this.deps,
    );
    return recorded.map(([row, burn]) => burningRow(row, burn));
  }

  private reportUnsigned({ submitter, nonce }: TrackedAllocation, reason: string): void {
    this.deps.logger.warn('a burn was not signed, the nonce waits', { submitter, nonce, reason });
  }
}

function whyBurn({ stage }: TrackedAllocation): string {
  return stage === 'INTENT' || stage === 'BROADCAST' ? WHY_GIVEN_UP : WHY;
}

function recordOf(
  row: TrackedAllocation,
  { txHash, rawTx }: Extract<BurnSigning, { kind: 'signed' }>,
  nextLookMs: number,
): Omit<BurnRecord, 'reason'> {
  const { id, stage: from, hashes } = row;
  return { id, from, hashesSeen: hashes.length, txHash, rawTx, nextLookMs };
}

/** The row as it is once the burn is recorded. */
function burningRow(
  row: TrackedAllocation,
  { txHash, rawTx, reason }: BurnRecord,
): TrackedAllocation {
  return {
    ...row,
    status: 'RESERVED',
    stage: 'BURNING',
    txHash,
    hashes: [...row.hashes, txHash],
    burnHashes: [...row.burnHashes, txHash],
    burnTx: rawTx,
    note: reason,
    unchangedMs: 0,
    stuckMs: null,
  };
}
