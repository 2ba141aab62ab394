import { Redis } from 'ioredis';

const CONNECT_TIMEOUT_MS = 5_000;
const COMMAND_TIMEOUT_MS = 10_000;
const DISCONNECT_TIMEOUT_MS = 50;

/**
 * A connection to one server for the time of `use`. It follows nobody: no reconnect, no
 * redirection, so what is said to this server is said to it alone.
 */
export async function withRedis<T>(port: number, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = toRedis(port);
  try {
    await client.connect();
    return await use(client);
  } finally {
    client.disconnect();
  }
}

/** Such a connection, not yet made; the caller connects and disconnects it. */
export function toRedis(port: number): Redis {
  const client = new Redis({
    host: '127.0.0.1',
    port,
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    retryStrategy: () => null,
  });
  // A lost connection is told by the command that it fails.
  client.on('error', () => undefined);
  return client;
}

/** The fields of `INFO replication`. */
export async function replicationOf(port: number): Promise<ReadonlyMap<string, string>> {
  const text = await withRedis(port, (client) => client.info('replication'));
  const lines = text.split('\r\n').map((line) => line.split(':', 2) as [string, string]);
  return new Map(lines.filter(([, value]) => (value as string | undefined) !== undefined));
}
