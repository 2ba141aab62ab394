import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { MODE_SWITCHING, NonceComponent, NonceModule } from '@noncekit/nonce-core';
import type { LastingMode } from '@noncekit/nonce-core/domain';
import type { ModeSwitching } from '@noncekit/nonce-core/ports';
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
  /** The mode that begins, where it is not the one that the settings above are for. */
  readonly mode?: LastingMode;
}

export interface OpenNonces {
  readonly nonces: NonceComponent;
  readonly switching: ModeSwitching;
  close(): Promise<void>;
}

function keysOf({ performance }: NodeSettings): { keyPrefix?: string } {
  return performance === undefined ? {} : { keyPrefix: performance.keyPrefix };
}

/** One node: the library as a host uses it, without a limit on what is in flight. */
export async function openNonces(settings: NodeSettings): Promise<OpenNonces> {
  const { databaseUrl, redisUrl, chain, performance } = settings;
  const client = redisUrl === undefined ? undefined : new Redis(redisUrl);
  // Some cases kill it: what the library makes of that is what they measure.
  client?.on('error', () => undefined);
  const module = NonceModule.forRoot({
    database: { url: databaseUrl, schema: SCHEMA },
    maxInFlight: 0,
    allocation: { exposure: 'declared', ttlMs: TTL_MS },
    redis: client === undefined ? { enabled: false } : { client, ...keysOf(settings) },
    ...(performance === undefined
      ? {}
      : {
          mode: settings.mode ?? 'PERFORMANCE',
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
    switching: app.get<ModeSwitching>(MODE_SWITCHING),
    async close() {
      await app.close();
      client?.disconnect();
    },
  };
}
