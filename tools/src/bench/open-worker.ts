import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { NonceModule, NonceTrackingModule } from '@noncekit/nonce-core';
import { Redis } from 'ioredis';
import { SCHEMA } from './bench-stores';

export interface WorkerSettings {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly keyPrefix: string;
}

@Module({})
class WorkerNode {}

/** The worker's periodic work as the app imports it, within this program. */
export async function openWorker(settings: WorkerSettings): Promise<{ close(): Promise<void> }> {
  const client = new Redis(settings.redisUrl);
  const app = await NestFactory.createApplicationContext(
    {
      module: WorkerNode,
      imports: [
        NonceModule.forRoot({
          database: { url: settings.databaseUrl, schema: SCHEMA },
          redis: { client, keyPrefix: settings.keyPrefix },
        }),
        NonceTrackingModule.forRoot({ reclaimIntervalMs: 1_000, reconcileIntervalMs: 15_000 }),
      ],
    },
    { logger: ['error'] },
  );
  return {
    async close() {
      await app.close();
      client.disconnect();
    },
  };
}
