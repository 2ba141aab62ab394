import type { AllocationStage } from '../domain/allocation-state';
import type { Submitter } from '../domain/submitter';
import type { MirroredNonce, MirrorTruth, SubmitterTruth } from '../ports/mirror.port';
import type { StatementParameters } from './generated/sql';
import type { StatementRunner } from './statement-runner';

interface NonceColumns {
  readonly nonce: string;
  readonly id: string;
  readonly stage: AllocationStage;
  readonly row_epoch: string;
  readonly changed_us: string;
}

type TruthRow = (NonceColumns | { readonly nonce: null }) & {
  readonly submitter: Submitter;
  readonly epoch: string;
  readonly next: string;
  readonly as_of_us: string;
};

/** What the mirror is compared with. */
export class PostgresMirrorTruth implements MirrorTruth {
  constructor(private readonly runner: StatementRunner) {}

  async openSubmitters(after: Submitter | null, limit: number): Promise<readonly Submitter[]> {
    const rows = await this.runner.run<
      { readonly submitter: Submitter },
      StatementParameters['openSubmitters']
    >(this.runner.statements.openSubmitters, { after: after ?? '', limit });
    return rows.map(({ submitter }) => submitter);
  }

  async read(
    submitters: readonly Submitter[],
    maxOpen: number,
  ): Promise<ReadonlyMap<Submitter, SubmitterTruth>> {
    const rows = await this.runner.run<TruthRow, StatementParameters['mirrorTruth']>(
      this.runner.statements.mirrorTruth,
      { submitters, limit: maxOpen },
    );
    const open = new Map<Submitter, MirroredNonce[]>();
    const truths = new Map<Submitter, SubmitterTruth>();
    for (const row of rows) {
      const { submitter } = row;
      const nonces = open.get(submitter) ?? [];
      open.set(submitter, nonces);
      if (row.nonce !== null) nonces.push(toMirrored(row));
      truths.set(submitter, {
        submitter,
        asOfUs: Number(row.as_of_us),
        next: { epoch: Number(row.epoch), next: Number(row.next) },
        open: nonces,
        truncated: nonces.length >= maxOpen,
      });
    }
    return truths;
  }

  async find(
    keys: readonly { readonly submitter: Submitter; readonly nonce: number }[],
  ): Promise<ReadonlyMap<Submitter, readonly MirroredNonce[]>> {
    const found = new Map<Submitter, MirroredNonce[]>();
    if (keys.length === 0) return found;
    const rows = await this.runner.run<
      NonceColumns & { readonly submitter: Submitter },
      StatementParameters['findMirrored']
    >(this.runner.statements.findMirrored, {
      submitters: keys.map(({ submitter }) => submitter),
      nonces: keys.map(({ nonce }) => nonce),
    });
    for (const row of rows) {
      const nonces = found.get(row.submitter) ?? [];
      found.set(row.submitter, nonces);
      nonces.push(toMirrored(row));
    }
    return found;
  }
}

function toMirrored(row: NonceColumns): MirroredNonce {
  return {
    nonce: Number(row.nonce),
    epoch: Number(row.row_epoch),
    changedAtUs: Number(row.changed_us),
    stage: row.stage,
    owner: row.id,
  };
}
