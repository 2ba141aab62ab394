/** Server settings by their names in postgresql.conf. */
export type PostgresSettings = Readonly<Record<string, string | number>>;

/** What the local servers need beyond Postgres's own defaults. fsync stays on, as everywhere. */
const DEFAULTS: PostgresSettings = {
  listen_addresses: '127.0.0.1',
  // No socket files: the usual folder may not exist or belong to another account.
  unix_socket_directories: '',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  // Enough for two test workers with several nodes each, and for the benchmarks' pools.
  max_connections: 300,
  shared_buffers: '128MB',
  max_wal_size: '1GB',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

export function postgresParameters(port: number, settings: PostgresSettings): readonly string[] {
  const all = { ...DEFAULTS, ...settings, port };
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${String(value)}`]);
}
