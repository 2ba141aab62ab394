import type { Submitter } from '../domain/submitter';
import type { FlushEvent } from '../ports/fast-store.port';
import type { DeadLetter, DeadLetterStore } from '../ports/flush-store.port';
import type { StatementParameters } from './generated/sql';
import type { StatementRunner } from './statement-runner';

interface DeadLetterRow {
  readonly id: string;
  readonly submitter: string | null;
  readonly nonce: string | null;
  readonly event: string;
  readonly deliveries: number;
  readonly reason: string;
  readonly created_at: Date;
}

/** Reads and resolves events that could not be applied. */
export class PostgresDeadLetterStore implements DeadLetterStore {
  constructor(private readonly runner: StatementRunner) {}

  async list(page: Parameters<DeadLetterStore['list']>[0]): Promise<readonly DeadLetter[]> {
    const rows = await this.runner.run<DeadLetterRow, StatementParameters['listDeadLetters']>(
      this.runner.statements.listDeadLetters,
      { after: page.after, rowLimit: page.limit },
    );
    return rows.map(toDeadLetter);
  }

  async find(id: string): Promise<DeadLetter | null> {
    const rows = await this.runner.run<DeadLetterRow, StatementParameters['findDeadLetter']>(
      this.runner.statements.findDeadLetter,
      { id },
    );
    return rows[0] === undefined ? null : toDeadLetter(rows[0]);
  }

  /** Written by `bury` as JSON of the event itself; anything else was unreadable when it came. */
  eventOf(letter: DeadLetter): FlushEvent | null {
    try {
      const event = JSON.parse(letter.event) as Partial<FlushEvent>;
      return event.grant === undefined || event.hashes === undefined ? null : (event as FlushEvent);
    } catch {
      return null;
    }
  }

  async resolve(id: string): Promise<void> {
    await this.runner.run(this.runner.statements.resolveDeadLetter, { id });
  }

  async count(): Promise<number> {
    const rows = await this.runner.run<{ open: string }, Record<string, never>>(
      this.runner.statements.countDeadLetters,
      {},
    );
    return Number(rows[0]?.open ?? 0);
  }
}

function toDeadLetter(row: DeadLetterRow): DeadLetter {
  return {
    id: row.id,
    submitter: row.submitter as Submitter | null,
    nonce: row.nonce === null ? null : Number(row.nonce),
    reason: row.reason,
    event: row.event,
    deliveries: row.deliveries,
    at: row.created_at,
  };
}
