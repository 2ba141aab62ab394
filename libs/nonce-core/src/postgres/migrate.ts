import { createDataSource } from './data-source';
import { quoteSchema } from './generated/sql';

export interface MigrateOptions {
  readonly url: string;
  readonly schema: string;
  readonly log?: (line: string) => void;
}

/**
 * Brings the schema up to this program's version; does nothing when it is. Safe to run from several
 * places at once: a transaction-scoped lock lets one of them work.
 */
export async function migrate(options: MigrateOptions): Promise<{ applied: readonly string[] }> {
  const schema = quoteSchema(options.schema);
  const source = createDataSource({
    ...options,
    poolSize: 2,
    sessionTimeouts: false,
    boundedAnswers: false,
  });
  await source.initialize();
  try {
    return await source.transaction(async (manager) => {
      await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
        `noncekit migrations of ${options.schema}`,
      ]);
      await source.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
      const applied = await source.runMigrations();
      for (const migration of applied) options.log?.(`applied ${migration.name}`);
      return { applied: applied.map((migration) => migration.name) };
    });
  } finally {
    await source.destroy();
  }
}
