import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { NonceComponent, NonceModule } from '@noncekit/nonce-core';
import { Redis } from 'ioredis';
import type { StackChain } from '../stack/stack';
import { TTL_MS } from './contenders/raw-statements';
import { SCHEMA } from './bench-stores';

/** More events than any run makes: nobody drains them meanwhile. */
const STREAM_MAX = 10_000_000;

export interface NodeSettings {
  readonly databaseUrl: string;
  /** With it, the Redis lock stands before every batch. */
  readonly redisUrl?: string | undefined;
  readonly chain?: StackChain | undefined;
  /** Redis grants; needs `redisUrl`. */
  readonly performance?: { readonly intents: 'strict' | 'relaxed'; readonly keyPrefix: string };
}

export interface OpenNonces {
  readonly nonces: NonceComponent;
  close(): Promise<void>;
}

function keysOf({ performance }: NodeSettings): { keyPrefix?: string } {
  return performance === undefined ? {} : { keyPrefix: performance.keyPrefix };
}

/** One node: the library as a host uses it, without a limit on what is in flight. */
export async function openNonces(settings: NodeSettings): Promise<OpenNonces> {
  const { databaseUrl, redisUrl, chain, performance } = settings;
  const client = redisUrl === undefined ? undefined : new Redis(redisUrl);
  const module = NonceModule.forRoot({
    database: { url: databaseUrl, schema: SCHEMA },
    maxInFlight: 0,
    allocation: { exposure: 'declared', ttlMs: TTL_MS },
    redis: client === undefined ? { enabled: false } : { client, ...keysOf(settings) },
    ...(performance === undefined
      ? {}
      : {
          mode: 'PERFORMANCE',
          performance: { intents: performance.intents },
          flush: { streamMax: STREAM_MAX },
        }),
    ...(chain === undefined
      ? {}
      : {
          chains: {
            [chain.chainId]: { rpcUrls: [chain.rpcUrl], confirmations: 1, maxInFlight: 0 },
          },
        }),
  });
  const app = await NestFactory.createApplicationContext(module, { logger: ['error'] });
  return {
    nonces: app.get(NonceComponent),
    async close() {
      await app.close();
      client?.disconnect();
    },
  };
}
