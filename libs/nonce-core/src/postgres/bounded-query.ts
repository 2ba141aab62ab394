import type { Pool, PoolClient, QueryConfig, QueryResult, QueryResultRow } from 'pg';
import { DATABASE_DEFAULTS } from './data-source';

/**
 * `pool.query` that never waits for ever for a connection. A pool that a host brings may have no
 * limit of its own; callers that hold all its connections while they wait for a nonce would then
 * wait for each other until somebody restarts them (I-29).
 */
export async function boundedQuery<Row extends QueryResultRow>(
  pool: Pool,
  query: QueryConfig,
): Promise<QueryResult<Row>> {
  if ((pool.options.connectionTimeoutMillis ?? 0) > 0) return pool.query<Row>(query);
  const client = await acquire(pool, DATABASE_DEFAULTS.connectTimeoutMs);
  try {
    const result = await client.query<Row>(query);
    client.release();
    return result;
  } catch (error) {
    client.release(true); // as pool.query does: the connection's state is not known any more
    throw error;
  }
}

async function acquire(pool: Pool, timeoutMs: number): Promise<PoolClient> {
  const connecting = pool.connect();
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<'too late'>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, 'too late');
  });
  try {
    const client = await Promise.race([connecting, tooLate]);
    if (client !== 'too late') return client;
  } finally {
    clearTimeout(timer);
  }
  const giveBack = (client: PoolClient) => {
    client.release();
  };
  // It still stands in the queue; whatever comes of that is not this caller's any more.
  void connecting.then(giveBack, () => undefined);
  throw new Error('timeout exceeded when trying to connect');
}
