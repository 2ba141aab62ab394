/**
 * One process of a host with the whole module, under load while the mode changes: it routes, flushes,
 * drains and degrades like any other. Reports every fact the moment it is one.
 */
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { isNonceError } from '../../../src/domain/errors/nonce-error';
import type { EngineMode } from '../../../src/domain/engine-mode';
import { NonceModule } from '../../../src/module/nonce.module';
import { NonceTrackingModule } from '../../../src/module/tracking/nonce-tracking.module';
import type { IntentPolicy } from '../../../src/ports/fast-epoch-store.port';
import { NonceEngineManager } from '../../../src/routing/engine-manager';
import { commands, report } from '../../support/child-messages';
import { ChaosLoad, type LoadPlan } from '../chaos/chaos-load';
import { nowUs, Recorder, type ChaosMessage } from '../chaos/recorder';

export interface SwitchingSetting {
  readonly databaseUrl: string;
  readonly schema: string;
  readonly redisUrl: string;
  readonly keyPrefix: string;
  readonly shards: number;
  readonly intents: IntentPolicy;
  readonly quarantineMs: number;
}

export interface SwitchingOrder {
  readonly name: string;
  readonly setting: SwitchingSetting;
  readonly plan: LoadPlan;
}

export type SwitchingCommand =
  | { readonly kind: 'order'; readonly order: SwitchingOrder }
  | { readonly kind: 'run' | 'sweep' | 'finish' }
  | { readonly kind: 'switch'; readonly to: EngineMode };

/** Everything that waits for a time in production waits a tenth of it. */
const INTERVALS = { reclaimIntervalMs: 100, reconcileIntervalMs: 1_000 };
const LINE_MAX = 300;
const DEGRADE = { probeIntervalMs: 100, returnAfterMs: 1_000, maxDwellMs: 2_000 };

/** What counts is what the callers are told and what the stores hold; warnings explain it. */
const WARNINGS = { debug: ignore, info: ignore, warn: keep, error: keep };

function ignore(): void {
  // Nobody asks.
}

function keep(message: string, fields: object = {}): void {
  const at = String(nowUs());
  process.stderr.write(`${at} ${message} ${JSON.stringify(fields).slice(0, LINE_MAX)}\n`);
}

async function open(setting: SwitchingSetting): Promise<NonceEngineManager> {
  const { databaseUrl: url, schema, redisUrl, keyPrefix, shards } = setting;
  const client = new Redis(redisUrl, { lazyConnect: true, retryStrategy: () => 50 });
  client.on('error', ignore);
  @Module({
    imports: [
      NonceModule.forRoot({
        database: { url, schema, poolSize: 5 },
        redis: { client, keyPrefix, shards },
        performance: { intents: setting.intents },
        flush: { intervalMs: 50 },
        quarantine: { ms: setting.quarantineMs, release: 'replacement' },
        modes: { drainDeadlineMs: 500, pollMs: 50 },
        degrade: DEGRADE,
        maxInFlight: 0,
        logger: WARNINGS,
      }),
      NonceTrackingModule.forRoot(INTERVALS),
    ],
  })
  class HostModule {}
  const app = await NestFactory.createApplicationContext(HostModule, { logger: false });
  return app.get(NonceEngineManager);
}

async function switchTo(manager: NonceEngineManager, to: EngineMode): Promise<number | string> {
  try {
    const answer = await manager.switchTo({ to, actor: 'proof', reason: 'drawn at random' });
    return answer.switch?.epoch ?? 'none';
  } catch (error) {
    return isNonceError(error) ? error.code : String(error);
  }
}

async function main(): Promise<void> {
  let load: ChaosLoad | undefined;
  let manager: NonceEngineManager | undefined;
  let running: Promise<void> | undefined;
  for await (const command of commands<SwitchingCommand>()) {
    switch (command.kind) {
      case 'order': {
        const { name, setting, plan } = command.order;
        manager = await open(setting);
        load = new ChaosLoad(plan, manager, new Recorder(name));
        report({ kind: 'ready' } satisfies ChaosMessage);
        break;
      }
      case 'switch': {
        if (manager === undefined) break;
        const answer = await switchTo(manager, command.to);
        report({ kind: 'switched', answer } satisfies ChaosMessage);
        break;
      }
      case 'run':
        running = load?.run();
        break;
      case 'sweep':
        running = load?.sweep();
        break;
      case 'finish':
        load?.finish();
        await running;
        report({ kind: 'finished' } satisfies ChaosMessage);
        break;
    }
  }
}

void main();
