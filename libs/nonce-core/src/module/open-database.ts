import { NonceError } from '../domain/errors/nonce-error';
import { checkDatabase } from '../postgres/boot-checks';
import { createDataSource } from '../postgres/data-source';
import { StatementRunner } from '../postgres/statement-runner';
import { toStoreError } from '../postgres/store-error';
import type { NonceDataSource, ResolvedDatabase } from './options';

/** An open, checked database. Closes only connections that this module opened. */
export interface OpenDatabase {
  readonly runner: StatementRunner;
  close(): Promise<void>;
}

/**
 * @throws NonceError NONCE_STORE_UNAVAILABLE, NONCE_SCHEMA_BEHIND, or NONCE_CONFIG_INVALID when the
 * server could lose commits.
 */
export async function openDatabase(options: ResolvedDatabase): Promise<OpenDatabase> {
  const source = sourceOf(options);
  const owned = options.source.kind === 'url';
  const close = async () => {
    if (owned && source.isInitialized) await source.destroy();
  };
  try {
    if (!source.isInitialized) await source.initialize();
    const { preparedStatements, schema, allowUnsafe } = options;
    const runner = new StatementRunner(source, schema, { prepared: preparedStatements });
    await checkDatabase(knowingMigrations(source, schema), runner, { schema, allowUnsafe });
    return { runner, close };
  } catch (error) {
    await close();
    throw error instanceof NonceError ? error : toStoreError(error);
  }
}

function sourceOf(options: ResolvedDatabase): NonceDataSource {
  if (options.source.kind === 'data-source') return options.source.dataSource;
  const { schema, poolSize, sessionTimeouts } = options;
  return createDataSource({ url: options.source.url, schema, poolSize, sessionTimeouts });
}

/** A host's data source knows the host's migrations; the check is about those of this library. */
function knowingMigrations(source: NonceDataSource, schema: string): NonceDataSource {
  const own = createDataSource({ url: 'postgres://unused', schema }).options.migrations;
  const classes = Object.values(own ?? {}) as (new () => NonceDataSource['migrations'][number])[];
  const migrations = classes.map((Migration) => new Migration());
  return Object.create(source, { migrations: { value: migrations } }) as NonceDataSource;
}
