import { availableParallelism } from 'node:os';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import type { Stack } from '../stack/stack';

/** What the figures depend on. Says nothing that would name the machine. */
export interface MachineFacts {
  readonly date: string;
  readonly cores: number;
  readonly platform: string;
  readonly node: string;
  readonly postgres: string;
  readonly fsync: string;
  readonly redis: string;
}

export async function machineFacts(stack: Stack): Promise<MachineFacts> {
  return {
    date: new Date().toISOString().slice(0, 10),
    cores: availableParallelism(),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    ...(await postgresFacts(stack.databaseUrl)),
    redis: stack.redisUrl === undefined ? 'none' : await redisVersion(stack.redisUrl),
  };
}

async function postgresFacts(url: string): Promise<{ postgres: string; fsync: string }> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ postgres: string; fsync: string }>(
      `SELECT split_part(current_setting('server_version'), ' ', 1) AS postgres,
              current_setting('fsync') AS fsync`,
    );
    return rows[0] ?? { postgres: 'unknown', fsync: 'unknown' };
  } finally {
    await client.end();
  }
}

async function redisVersion(url: string): Promise<string> {
  const redis = new Redis(url);
  try {
    return /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? 'unknown';
  } finally {
    redis.disconnect();
  }
}
