import type { QueryRunner } from 'typeorm';
import { MIGRATION_SCRIPTS, type MigrationScript } from '../generated/migrations';
import { quoteSchema } from '../generated/sql';

/** Runs embedded scripts, in the schema of the connection. */
export async function runScripts(
  runner: QueryRunner,
  scripts: readonly MigrationScript[],
): Promise<void> {
  const { schema } = runner.dataSource.options as { schema?: string };
  const prefix = `${quoteSchema(schema ?? 'public')}.`;
  for (const script of scripts) {
    await runner.query(MIGRATION_SCRIPTS[script].replaceAll(':schema.', prefix));
  }
}

/** Every migration answers a step back with this. */
export function refuseToGoBack(): Promise<never> {
  return Promise.reject(new Error('Migrations only go forward: restore a backup instead.'));
}
