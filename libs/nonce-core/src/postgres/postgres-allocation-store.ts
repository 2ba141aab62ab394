import type { Allocation } from '../domain/allocation';
import type { AllocationStage } from '../domain/allocation-state';
import type { ErrorCode } from '../domain/errors/catalogue';
import { isNonceError } from '../domain/errors/nonce-error';
import type { QuarantinePolicy } from '../domain/quarantine-policy';
import type {
  AllocateAnswer,
  AllocateBatch,
  AllocationStore,
  HolderAnswer,
  HolderRow,
  SubmitterBaseline,
} from '../ports/allocation-store.port';
import type { TransactionHandle } from '../ports/transaction.port';
import { decodeAnswers, type AllocateReply, type DecodedAnswer } from './allocate-answers';
import { sortBatch } from './allocate-parameters';
import { toAllocation, type AllocationRow } from './allocation-row';
import { grantColumns } from './fast-grant-columns';
import type { StatementParameters } from './generated/sql';
import { readAllocations, replayOf } from './read-allocations';
import type { StatementRunner, Unguarded } from './statement-runner';

interface CommandReply extends AllocationRow {
  readonly verdict: 'done' | 'same' | ErrorCode;
  /** Stage before the command; null for an unknown token. */
  readonly previous: AllocationStage | null;
}

type CommandColumns = Unguarded<StatementParameters['commandBatch']>;

/** The authority on Postgres: one function call per batch, one transaction per call. */
export class PostgresAllocationStore implements AllocationStore {
  constructor(private readonly runner: StatementRunner) {}

  async allocate(batch: AllocateBatch): Promise<readonly AllocateAnswer[]> {
    if (batch.rows.length === 0) return [];
    const sorted = sortBatch(batch);
    const replies = await this.runner.run<AllocateReply, typeof sorted.parameters>(
      this.runner.statements.allocateBatch,
      sorted.parameters,
    );
    return this.complete(decodeAnswers(sorted, replies));
  }

  async command(
    rows: readonly HolderRow[],
    quarantine: QuarantinePolicy,
    handle?: TransactionHandle,
  ): Promise<readonly HolderAnswer[]> {
    if (rows.length === 0) return [];
    try {
      return await this.decide(rows, quarantine, handle);
    } catch (error) {
      const known = rows.filter((row) => !isHeldBack(row));
      const held = isNonceError(error, 'NONCE_RECOVERY_HOLD') && handle === undefined;
      if (!held || known.length === 0) throw error;
      return withHeldBack(rows, await this.decide(known, quarantine));
    }
  }

  async open(baseline: SubmitterBaseline): Promise<void> {
    await this.runner.run(this.runner.statements.openSubmitter, {
      submitter: baseline.submitter,
      engine: baseline.engine,
      startNonce: baseline.startNonce,
      pendingCount: baseline.pendingCount,
      latestCount: baseline.chainLatestCount,
      finalizedCount: baseline.chainFinalizedCount,
      genesisHash: baseline.genesisHash,
      quarantineMs: baseline.quarantine.ms,
      release: baseline.quarantine.release,
      delegated: baseline.delegated ?? false,
    });
  }

  async findById(id: string): Promise<Allocation | null> {
    const rows = await this.runner.run<AllocationRow, { id: string }>(
      this.runner.statements.findAllocation,
      { id },
    );
    return rows[0] === undefined ? null : toAllocation(rows[0]);
  }

  private async decide(
    rows: readonly HolderRow[],
    quarantine: QuarantinePolicy,
    handle?: TransactionHandle,
  ): Promise<readonly HolderAnswer[]> {
    const replies = await this.runner.run<CommandReply, CommandColumns>(
      this.runner.statements.commandBatch,
      commandColumns(rows, quarantine),
      handle,
    );
    return replies.map(toHolderAnswer);
  }

  private async complete(answers: readonly DecodedAnswer[]): Promise<AllocateAnswer[]> {
    const ids = answers.flatMap((answer) => (answer.kind === 'read' ? answer.ids : []));
    const found = await readAllocations(this.runner, ids);
    return answers.map((answer) => (answer.kind === 'read' ? replayOf(answer.ids, found) : answer));
  }
}

/** Lets bytes leave, or makes a row: not while nobody vouches for the database. */
function isHeldBack(row: HolderRow): boolean {
  return row.command === 'intent' || row.grant !== undefined;
}

/** The answers of those that were not held back, in the order of all. */
function withHeldBack(
  rows: readonly HolderRow[],
  answers: readonly HolderAnswer[],
): readonly HolderAnswer[] {
  const left = [...answers];
  const held: HolderAnswer = { kind: 'refused', code: 'NONCE_RECOVERY_HOLD', allocation: null };
  return rows.map((row) => (isHeldBack(row) ? held : (left.shift() ?? held)));
}

function commandColumns(rows: readonly HolderRow[], quarantine: QuarantinePolicy): CommandColumns {
  return {
    commands: rows.map((row) => row.command),
    ids: rows.map((row) => row.id),
    submitters: rows.map((row) => row.submitter ?? row.grant?.submitter ?? null),
    nonces: rows.map((row) => row.nonce ?? row.grant?.nonce ?? null),
    hashes: rows.map((row) => row.txHash?.toLowerCase() ?? null),
    raw: rows.map((row) => (row.rawTx === null ? null : Buffer.from(row.rawTx.slice(2), 'hex'))),
    notes: rows.map((row) => row.note),
    ttlsMs: rows.map((row) => row.ttlMs),
    followable: rows.map((row) => row.followable),
    quarantineMs: quarantine.ms,
    release: quarantine.release,
    ...grantColumns(rows),
  };
}

function toHolderAnswer(reply: CommandReply): HolderAnswer {
  // A row without a submitter is the outer join's way of saying that the token is unknown.
  const allocation = (reply.submitter as string | null) === null ? null : toAllocation(reply);
  const { verdict, previous } = reply;
  if ((verdict === 'done' || verdict === 'same') && allocation !== null && previous !== null) {
    return { kind: 'done', allocation, changed: verdict === 'done', from: previous };
  }
  return { kind: 'refused', code: verdict as ErrorCode, allocation };
}
