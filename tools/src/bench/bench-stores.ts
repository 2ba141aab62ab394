import { migrate } from '@noncekit/nonce-core';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import type { Stack, StackChain } from '../stack/stack';

export const SCHEMA = 'noncekit';

/** Hands every case databases of its own on the servers of this run. */
export class BenchStores {
  private created = 0;
  private names: string[] = [];

  constructor(private readonly stack: Stack) {}

  get redisUrl(): string | undefined {
    return this.stack.redisUrl;
  }

  get chain(): StackChain | undefined {
    return this.stack.chain;
  }

  /** URL of a new, migrated database. */
  async database(): Promise<string> {
    const url = await this.emptyDatabase();
    await migrate({ url, schema: SCHEMA });
    return url;
  }

  async emptyDatabase(): Promise<string> {
    this.created += 1;
    const name = `bench_${process.pid}_${this.created}`;
    await this.asAdmin(`CREATE DATABASE ${name} TEMPLATE template0`);
    this.names.push(name);
    const url = new URL(this.stack.databaseUrl);
    url.pathname = `/${name}`;
    return url.href;
  }

  /** Drops the databases of the case that just ended, so that the next one meets a small server. */
  async dropAll(): Promise<void> {
    const names = this.names;
    this.names = [];
    for (const name of names) await this.asAdmin(`DROP DATABASE ${name} WITH (FORCE)`);
  }

  /** Leaves an empty Redis, where there is one; it is this run's own. */
  async flushRedis(): Promise<void> {
    if (this.redisUrl === undefined) return;
    const redis = new Redis(this.redisUrl);
    try {
      await redis.flushall();
    } finally {
      redis.disconnect();
    }
  }

  private async asAdmin(statement: string): Promise<void> {
    const client = new Client({ connectionString: this.stack.databaseUrl });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  }
}
