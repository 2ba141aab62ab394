import type { DataSource } from 'typeorm';
import { NonceError, type FieldProblem } from '../domain/errors/nonce-error';
import { functionsAreBehind } from './functions/decide-functions';
import { recordedFunctions } from './functions/recorded-functions';
import { FUNCTIONS } from './generated/functions';
import { quoteSchema, type StatementParameters } from './generated/sql';
import type { StatementRunner } from './statement-runner';

/** Generated columns, SKIP LOCKED in functions and the plans of the statements need this much. */
const OLDEST_SERVER = 140_000;

interface ServerRow {
  readonly version: number;
  readonly version_text: string;
  readonly fsync: string;
  readonly synchronous_commit: string;
  readonly in_recovery: boolean;
}

export interface BootCheckOptions {
  readonly schema: string;
  /** Starts although commits can be lost or the server is a standby: throw-away databases only. */
  readonly allowUnsafe: boolean;
}

/**
 * Refuses to start on a database that could issue a nonce twice, each refusal with its mending.
 * @throws NonceError NONCE_CONFIG_INVALID with every problem of the server at once,
 * NONCE_SCHEMA_BEHIND when a migration of this program is missing or the functions are older than its
 * own, NONCE_STORE_UNAVAILABLE.
 */
export async function checkDatabase(
  source: DataSource,
  runner: StatementRunner,
  options: BootCheckOptions,
): Promise<void> {
  const problems = await readServerProblems(runner, options);
  if (problems.length > 0) throw new NonceError('NONCE_CONFIG_INVALID', { errors: problems });
  await checkSchema(source, options.schema);
}

/** What is wrong with the server that answers now. @throws NonceError NONCE_STORE_UNAVAILABLE. */
export async function readServerProblems(
  runner: StatementRunner,
  { allowUnsafe }: Pick<BootCheckOptions, 'allowUnsafe'>,
): Promise<FieldProblem[]> {
  const rows = await runner.run<ServerRow, StatementParameters['checkServer']>(
    runner.statements.checkServer,
    {},
  );
  const server = rows[0];
  return server === undefined ? [] : serverProblems(server, allowUnsafe);
}

/** What is wrong with a server, as data; pure, so that no server has to be broken to test it. */
export function serverProblems(server: ServerRow, allowUnsafe: boolean): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const add = (setting: string, detail: string): void => {
    problems.push({ pointer: `/database/${setting}`, detail });
  };
  if (server.version < OLDEST_SERVER) {
    add('version', `is ${server.version_text}; use Postgres 14 or newer`);
  }
  if (allowUnsafe) return problems;
  if (server.fsync !== 'on') {
    add('fsync', 'is off, so a crash can forget nonces that were used; set fsync = on');
  }
  if (server.synchronous_commit === 'off') {
    const mend = 'set synchronous_commit = on for this role or server';
    add('synchronous_commit', `is off, so a crash can forget commits; ${mend}`);
  }
  if (server.in_recovery) {
    add('primary', 'the server is a standby and cannot decide; connect to the primary');
  }
  return problems;
}

async function checkSchema(source: DataSource, schema: string): Promise<void> {
  const applied = await appliedMigrations(source, schema);
  const missing = source.migrations
    .map((migration) => migration.name ?? migration.constructor.name)
    .filter((name) => !applied.has(name));
  if (functionsAreBehind(await recordedFunctions(source, schema), FUNCTIONS)) {
    missing.push(`functions, version ${String(FUNCTIONS.version)}`);
  }
  if (missing.length > 0)
    throw new NonceError('NONCE_SCHEMA_BEHIND', { context: { schema, missing } });
}

async function appliedMigrations(source: DataSource, schema: string): Promise<ReadonlySet<string>> {
  const table = `${quoteSchema(schema)}."schema_migration"`;
  const found = await source.query<{ exists: boolean }[]>(
    'SELECT to_regclass($1) IS NOT NULL AS exists',
    [table],
  );
  if (found[0]?.exists !== true) return new Set();
  const rows = await source.query<{ name: string }[]>(`SELECT name FROM ${table}`);
  return new Set(rows.map((row) => row.name));
}
