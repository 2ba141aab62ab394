import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { NonceComponent, NonceModule } from '@noncekit/nonce-core';
import { Redis } from 'ioredis';
import type { StackChain } from '../stack/stack';

export interface DemoComponent {
  readonly nonces: NonceComponent;
  close(): Promise<void>;
}

export interface DemoStores {
  readonly databaseUrl: string;
  readonly redisUrl: string | undefined;
  readonly witnessDir: string;
}

/** The library as a host uses it: one module, one injected component, in the mode of the apps. */
export async function openComponent(stores: DemoStores, chain: StackChain): Promise<DemoComponent> {
  const performance = process.env['NONCE_INITIAL_MODE'] === 'PERFORMANCE';
  const redis = performance ? new Redis(stores.redisUrl ?? '') : null;
  const module = NonceModule.forRoot({
    database: { url: stores.databaseUrl },
    chains: { [chain.chainId]: { rpcUrls: [chain.rpcUrl], confirmations: 1 } },
    defaultChainId: chain.chainId,
    recovery: { witnessDir: stores.witnessDir },
    ...(redis === null ? {} : { mode: 'PERFORMANCE', redis: { client: redis } }),
  });
  const app = await NestFactory.createApplicationContext(module, { logger: ['error', 'warn'] });
  return {
    nonces: app.get(NonceComponent),
    close: async () => {
      await app.close();
      redis?.disconnect();
    },
  };
}
