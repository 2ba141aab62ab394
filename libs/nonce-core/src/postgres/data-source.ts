import { DataSource, type DataSourceOptions } from 'typeorm';
import { Foundation1763683200000 } from './migrations/1763683200000-foundation';
import { FastEpochs1763856000000 } from './migrations/1763856000000-fast-epochs';
import { Flush1763857000000 } from './migrations/1763857000000-flush';
import { Continuity1763858000000 } from './migrations/1763858000000-continuity';
import { WatchFastStores1763859000000 } from './migrations/1763859000000-watch-fast-stores';
import { SchemaFunctions1763860000000 } from './migrations/1763860000000-schema-functions';
import { Burns1763861000000 } from './migrations/1763861000000-burns';
import { Modes1763862000000 } from './migrations/1763862000000-modes';
import { Heads1763863000000 } from './migrations/1763863000000-heads';
import { Resends1763864000000 } from './migrations/1763864000000-resends';
import { ChainGenerations1763865000000 } from './migrations/1763865000000-chain-generations';
import { Reconciliations1763866000000 } from './migrations/1763866000000-reconciliations';
import { Alarms1763867000000 } from './migrations/1763867000000-alarms';
import { OpenWalks1763868000000 } from './migrations/1763868000000-open-walks';
import { TrackedTransitions1763869000000 } from './migrations/1763869000000-tracked-transitions';
import { RedisReports1763870000000 } from './migrations/1763870000000-redis-reports';

export interface DatabaseOptions {
  readonly url: string;
  /** Lower-case identifier; created by the migrations. */
  readonly schema: string;
  /** Connections of this process. Two suffice; more help only many submitters. */
  readonly poolSize?: number;
  readonly applicationName?: string;
  /**
   * Sends the timeouts when a connection starts. Switch it off behind a transaction pooler, where
   * the role carries them (see docker/postgres/roles.sql).
   */
  readonly sessionTimeouts?: boolean;
  /** False waits for as long as a statement takes, as migrations do. */
  readonly boundedAnswers?: boolean;
}

export const DATABASE_DEFAULTS = {
  poolSize: 10,
  applicationName: 'noncekit',
  /** A hot statement takes milliseconds; one that takes longer than this is stuck. */
  statementTimeoutMs: 2_000,
  /** Less than the statement timeout, so that waiting for a row is told apart from being slow. */
  lockTimeoutMs: 1_000,
  connectTimeoutMs: 2_000,
  /**
   * The server's own timeouts end statements first. Only a server or network that stands still says
   * nothing for this long; its connection is given up then, or its callers would wait for ever.
   */
  answerTimeoutMs: 4_000,
} as const;

/** A TypeORM data source that knows the migrations; not yet connected. */
export function createDataSource(options: DatabaseOptions): DataSource {
  const timeouts = {
    statement_timeout: DATABASE_DEFAULTS.statementTimeoutMs,
    lock_timeout: DATABASE_DEFAULTS.lockTimeoutMs,
  };
  const config: Extract<DataSourceOptions, { type: 'postgres' }> = {
    type: 'postgres',
    url: options.url,
    schema: options.schema,
    migrations: [
      Foundation1763683200000,
      FastEpochs1763856000000,
      Flush1763857000000,
      Continuity1763858000000,
      WatchFastStores1763859000000,
      SchemaFunctions1763860000000,
      Burns1763861000000,
      Modes1763862000000,
      Heads1763863000000,
      Resends1763864000000,
      ChainGenerations1763865000000,
      Reconciliations1763866000000,
      Alarms1763867000000,
      OpenWalks1763868000000,
      TrackedTransitions1763869000000,
      RedisReports1763870000000,
    ],
    migrationsTableName: 'schema_migration',
    migrationsTransactionMode: 'each',
    applicationName: options.applicationName ?? DATABASE_DEFAULTS.applicationName,
    extra: {
      max: options.poolSize ?? DATABASE_DEFAULTS.poolSize,
      connectionTimeoutMillis: DATABASE_DEFAULTS.connectTimeoutMs,
      keepAlive: true,
      ...(options.sessionTimeouts === false ? {} : timeouts),
      ...(options.boundedAnswers === false
        ? {}
        : { query_timeout: DATABASE_DEFAULTS.answerTimeoutMs }),
    },
  };
  return new DataSource(config);
}
