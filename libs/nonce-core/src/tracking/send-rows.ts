import type { TrackedAllocation } from '../ports/tracking-store.port';
import type { SubmissionReport } from '../ports/chain.port';
import { decideAfterResend } from './decide-after-resend';
import type { Decided, Judging } from './decided';
import { decideSend } from './decide-send';
import type { TrackingDeps } from './tracking-deps';

/**
 * Sends recorded bytes, each account's in nonce order: some chains refuse a nonce whose predecessor is
 * missing. An attempt is counted, and the claim proven, before the bytes leave: of two workers that
 * look at one row at once only one sends (L12).
 */
export class SendRows {
  constructor(
    private readonly deps: Pick<TrackingDeps, 'store' | 'metrics' | 'logger'>,
    private readonly claimMs: number,
  ) {}

  /**
   * @param recorded ids of rows whose bytes were recorded by this look.
   * @returns the rows with what is left to do; one that another worker has is left out.
   */
  async send(
    decided: readonly Decided[],
    recorded: ReadonlySet<string>,
    by: Judging,
  ): Promise<readonly Decided[]> {
    const accounts = new Map<string, Decided[]>();
    for (const one of decided) {
      const { submitter } = one[0];
      const ofAccount = accounts.get(submitter);
      if (ofAccount === undefined) accounts.set(submitter, [one]);
      else ofAccount.push(one);
    }
    const sent = await Promise.all(
      [...accounts.values()].map((ofAccount) => this.sendAccount(ofAccount, recorded, by)),
    );
    return sent.flat();
  }

  private async sendAccount(
    ofAccount: readonly Decided[],
    recorded: ReadonlySet<string>,
    by: Judging,
  ): Promise<readonly Decided[]> {
    const decided: Decided[] = [];
    const out = new Set<number>();
    let refused = false;
    for (const [row, decision] of [...ofAccount].sort(([a], [b]) => a.nonce - b.nonce)) {
      const bytes = row.stage === 'BURNING' ? row.burnTx : row.rawTx;
      if (decision.kind !== 'resend' || bytes === null) {
        decided.push([row, decision]);
        continue;
      }
      if (!recorded.has(row.id)) {
        const held = decideSend(row, { refused, out }, by.rules);
        if (held !== null) decided.push([row, held]);
        if (held !== null || !(await this.isOurs(row, by))) continue;
      }
      const report = await by.chain.sender.send(bytes);
      if (!row.hashes.includes(report.txHash)) this.reportForeignBytes(row);
      if (isOut(report)) out.add(row.nonce);
      else refused = true;
      decided.push([row, decideAfterResend(row, report, by.rules)]);
    }
    return decided;
  }

  private async isOurs(row: TrackedAllocation, { rules }: Judging): Promise<boolean> {
    const { id, stage: from, hashes, claim } = row;
    const send = { id, from, hashesSeen: hashes.length, claim };
    const bounds = { ...rules.attempts, leaseMs: this.claimMs };
    return (await this.deps.store.recordSends([send], bounds)).has(id);
  }

  /** The stored bytes are not those of a recorded hash: whoever wrote the intent mixed them up. */
  private reportForeignBytes({ submitter, nonce, id }: TrackedAllocation): void {
    const kind = 'intent-hash-mismatch';
    this.deps.metrics.count('nonce_anomalies_total', { kind });
    this.deps.logger.error('stored bytes have another hash than recorded', {
      submitter,
      nonce,
      allocationId: id,
    });
  }
}

/** Nothing is missing at this nonce any more: its bytes are in a pool, or it is used. */
function isOut({ outcome }: SubmissionReport): boolean {
  return outcome === 'accepted' || outcome === 'already-known' || outcome === 'nonce-too-low';
}
