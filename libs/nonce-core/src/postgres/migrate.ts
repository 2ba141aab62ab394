import { createDataSource } from './data-source';
import { applyFunctions } from './functions/apply-functions';
import { FUNCTIONS } from './generated/functions';
import { quoteSchema } from './generated/sql';

export interface MigrateOptions {
  readonly url: string;
  readonly schema: string;
  readonly log?: (line: string) => void;
}

/**
 * Brings the schema up to this program's version, first tables, then functions; does nothing when it
 * is, and takes nothing back when it is newer. Safe to run from several places at once: a
 * transaction-scoped lock lets one of them work. Replies what was applied: names of migrations, and
 * last the functions.
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
      const applied = (await source.runMigrations()).map((migration) => migration.name);
      const functions = `functions, version ${String(FUNCTIONS.version)}`;
      const verdict = await applyFunctions(manager, options.schema);
      if (verdict === 'apply') applied.push(functions);
      if (verdict === 'newer') options.log?.(`left ${functions}: the schema has newer ones`);
      for (const name of applied) options.log?.(`applied ${name}`);
      return { applied };
    });
  } finally {
    await source.destroy();
  }
}
