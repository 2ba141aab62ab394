import type { DataSource } from 'typeorm';
import type { Pool, QueryResultRow } from 'pg';
import type { TransactionHandle } from '../ports/transaction.port';
import { boundedQuery } from './bounded-query';
import { renderStatements, type Statement, type Statements } from './generated/sql';
import { toStoreError } from './store-error';

/**
 * Runs embedded statements on the pool of a data source: one round trip each, no ORM in between.
 * Named prepared statements save planning time; a transaction pooler may need them off.
 */
export class StatementRunner {
  readonly statements: Statements;

  constructor(
    private readonly source: DataSource,
    schema: string,
    private readonly options: { readonly prepared: boolean } = { prepared: true },
  ) {
    this.statements = renderStatements(schema);
  }

  /** @throws NonceError NONCE_STORE_UNAVAILABLE; other database errors as they came. */
  async run<Row extends QueryResultRow, Parameters>(
    statement: Statement<Parameters>,
    parameters: Parameters,
    handle?: TransactionHandle,
  ): Promise<readonly Row[]> {
    const values = statement.bind(parameters);
    try {
      if (handle !== undefined) return (await handle.query(statement.text, values)) as Row[];
      const name = this.options.prepared ? statement.preparedName : null;
      const query = { text: statement.text, values };
      const named = name === null ? query : { ...query, name };
      const result = await boundedQuery<Row>(poolOf(this.source), named);
      return result.rows;
    } catch (error) {
      throw toStoreError(error);
    }
  }
}

/** TypeORM's Postgres driver keeps its pg pool here (it has no public accessor). */
function poolOf(source: DataSource): Pool {
  return (source.driver as unknown as { master: Pool }).master;
}
