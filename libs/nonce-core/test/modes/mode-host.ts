import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { EngineMode } from '../../src/domain/engine-mode';
import { NonceComponent } from '../../src/module/nonce-component';
import { NonceModule } from '../../src/module/nonce.module';
import type { NonceModuleOptions } from '../../src/module/options';
import { MODE_SOURCE, MODE_STORE } from '../../src/module/tokens';
import { NonceTrackingModule } from '../../src/module/tracking/nonce-tracking.module';
import type { ModeSource } from '../../src/ports/mode-source.port';
import type { ModeStore } from '../../src/ports/mode-store.port';
import type { SwitchAnswer } from '../../src/ports/mode-switch.port';
import type { RedisClient } from '../../src/redis/redis-client';
import { NonceEngineManager } from '../../src/routing/engine-manager';
import type { TestDatabase } from '../support/test-database';

const INTERVALS = { reclaimIntervalMs: 100, reconcileIntervalMs: 1_000 };

function ignore(): void {
  // The tests assert on what is answered and stored; the log is for people.
}

/** A whole host in this process: it issues, flushes, compares, switches. */
export interface ModeHost {
  readonly app: INestApplicationContext;
  readonly nonces: NonceComponent;
  readonly mode: ModeSource;
  readonly store: ModeStore;
  /** By the operator `ops`. */
  switchTo(to: EngineMode): Promise<SwitchAnswer>;
  close(): Promise<void>;
}

export async function openModeHost(
  database: Pick<TestDatabase, 'url' | 'schema'>,
  redis: { readonly client: RedisClient; readonly prefix: string },
  options: Partial<NonceModuleOptions>,
): Promise<ModeHost> {
  @Module({
    imports: [
      NonceModule.forRoot({
        database: { url: database.url, schema: database.schema, poolSize: 6 },
        redis: { client: redis.client, keyPrefix: redis.prefix },
        flush: { intervalMs: 50 },
        maxInFlight: 0,
        logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
        ...options,
      }),
      NonceTrackingModule.forRoot(INTERVALS),
    ],
  })
  class HostModule {}
  const quiet = { logger: false, abortOnError: false } as const;
  const app = await NestFactory.createApplicationContext(HostModule, quiet);
  return {
    app,
    nonces: app.get(NonceComponent),
    mode: app.get<ModeSource>(MODE_SOURCE),
    store: app.get<ModeStore>(MODE_STORE),
    switchTo: (to) =>
      app.get(NonceEngineManager).switchTo({ to, actor: 'ops', reason: 'asked by a test' }),
    close: () => app.close(),
  };
}
