import 'reflect-metadata';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { NonceComponent } from '../../../src/module/nonce-component';
import { NonceModule } from '../../../src/module/nonce.module';
import type { NonceModuleOptions } from '../../../src/module/options';
import { NonceTrackingModule } from '../../../src/module/tracking/nonce-tracking.module';

export interface NodeOptions {
  readonly databaseUrl: string;
  readonly schema: string;
  readonly poolSize?: number;
  /** Without it nobody takes locks. */
  readonly redis?: { readonly url: string; readonly keyPrefix: string };
  readonly chains?: NonceModuleOptions['chains'];
  readonly allocation?: NonceModuleOptions['allocation'];
  readonly quarantine?: NonceModuleOptions['quarantine'];
  readonly burnSigner?: NonceModuleOptions['burnSigner'];
  readonly sessionTimeouts?: boolean;
  readonly preparedStatements?: boolean;
  /** Runs the worker's periodic jobs in this node as well. */
  readonly sweepIntervalMs?: number;
}

export interface OpenNode {
  readonly nonces: NonceComponent;
  readonly app: INestApplicationContext;
  close(): Promise<void>;
}

@Module({})
class Host {}

const SILENT = { debug: ignore, info: ignore, warn: ignore, error: ignore };
function ignore(): void {
  // What counts is what the callers are told and what the stores hold.
}

/** The library as an application uses it. */
export async function openNode(options: NodeOptions): Promise<OpenNode> {
  const redis = options.redis === undefined ? undefined : new Redis(options.redis.url);
  const nonces = NonceModule.forRoot(moduleOptions(options, redis));
  const { sweepIntervalMs } = options;
  const jobs =
    sweepIntervalMs === undefined
      ? []
      : [
          NonceTrackingModule.forRoot({
            reclaimIntervalMs: sweepIntervalMs,
            reconcileIntervalMs: sweepIntervalMs * 4,
          }),
        ];
  const host = { module: Host, imports: [nonces, ...jobs] };
  const app = await NestFactory.createApplicationContext(host, {
    logger: false,
    abortOnError: false,
  });
  return {
    nonces: app.get(NonceComponent, { strict: false }),
    app,
    async close() {
      await app.close();
      redis?.disconnect();
    },
  };
}

function moduleOptions(options: NodeOptions, redis: Redis | undefined): NonceModuleOptions {
  const { databaseUrl: url, schema, poolSize = 4 } = options;
  const { sessionTimeouts = true, preparedStatements = true } = options;
  return {
    database: { url, schema, poolSize, sessionTimeouts, preparedStatements },
    maxInFlight: 0,
    redis:
      redis === undefined || options.redis === undefined
        ? { enabled: false }
        : { client: redis, keyPrefix: options.redis.keyPrefix },
    ...(options.chains === undefined ? {} : { chains: options.chains }),
    ...(options.allocation === undefined ? {} : { allocation: options.allocation }),
    ...(options.quarantine === undefined ? {} : { quarantine: options.quarantine }),
    ...(options.burnSigner === undefined ? {} : { burnSigner: options.burnSigner }),
    shutdown: { deadlineMs: 500 },
    logger: SILENT,
  };
}
