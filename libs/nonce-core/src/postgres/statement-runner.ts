import type { DataSource } from 'typeorm';
import type { Pool, QueryResultRow } from 'pg';
import { isNonceError } from '../domain/errors/nonce-error';
import type { TransactionHandle } from '../ports/transaction.port';
import type { ServerGuard } from '../ports/witness.port';
import { boundedQuery } from './bounded-query';
import { renderStatements, type Statement, type Statements } from './generated/sql';
import { toStoreError } from './store-error';

/** What callers of guarded statements leave out: the runner knows which run was verified. */
export type Unguarded<Parameters> = Omit<Parameters, 'server'>;

/** SQLSTATE of `same_server`: another run of the server answers than the one that was verified. */
const ANOTHER_RUN = 'NK001';

/**
 * Runs embedded statements on the pool of a data source: one round trip each, no ORM in between.
 * Named prepared statements save planning time; a transaction pooler may need them off.
 */
export class StatementRunner {
  readonly statements: Statements;
  private guard: ServerGuard | null = null;

  constructor(
    private readonly source: DataSource,
    schema: string,
    private readonly options: { readonly prepared: boolean } = { prepared: true },
  ) {
    this.statements = renderStatements(schema);
  }

  /**
   * From now on statements with a parameter `server` are refused while another run of the server
   * answers than the guard has verified. Without a guard they are not checked.
   */
  guardWith(guard: ServerGuard): void {
    this.guard = guard;
  }

  /**
   * @throws NonceError NONCE_STORE_UNAVAILABLE, NONCE_RECOVERY_HOLD; other database errors as they
   * came.
   */
  async run<Row extends QueryResultRow, Parameters>(
    statement: Statement<Parameters>,
    parameters: Unguarded<Parameters>,
    handle?: TransactionHandle,
  ): Promise<readonly Row[]> {
    try {
      return await this.runOnce<Row, Parameters>(statement, parameters, handle);
    } catch (error) {
      if (this.guard === null || !isOfAnotherRun(error)) throw error;
      await this.guard.serverChanged();
      // Nothing was written; but a caller's own transaction has failed with the statement.
      if (handle !== undefined) throw error;
      return this.runOnce<Row, Parameters>(statement, parameters);
    }
  }

  private async runOnce<Row extends QueryResultRow, Parameters>(
    statement: Statement<Parameters>,
    parameters: Unguarded<Parameters>,
    handle?: TransactionHandle,
  ): Promise<readonly Row[]> {
    const server = this.guard?.expectedStart() ?? null;
    const values = statement.bind({ ...parameters, server } as Parameters);
    try {
      if (handle !== undefined) return (await handle.query(statement.text, values)) as Row[];
      const name = this.options.prepared ? statement.preparedName : null;
      const query = { text: statement.text, values };
      const named = name === null ? query : { ...query, name };
      const result = await boundedQuery<Row>(poolOf(this.source), named);
      return result.rows;
    } catch (error) {
      throw toStoreError(error, handle === undefined);
    }
  }
}

function isOfAnotherRun(error: unknown): boolean {
  return (
    isNonceError(error, 'NONCE_STORE_UNAVAILABLE') && error.context['sqlState'] === ANOTHER_RUN
  );
}

/** TypeORM's Postgres driver keeps its pg pool here (it has no public accessor). */
function poolOf(source: DataSource): Pool {
  return (source.driver as unknown as { master: Pool }).master;
}
