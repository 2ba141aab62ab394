import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { NonceComponent, NonceModule } from '@noncekit/nonce-core';
import type { StackChain } from '../stack/stack';

export interface DemoComponent {
  readonly nonces: NonceComponent;
  close(): Promise<void>;
}

/** The library as a host uses it: one module, one injected component. */
export async function openComponent(
  databaseUrl: string,
  chain: StackChain,
): Promise<DemoComponent> {
  const module = NonceModule.forRoot({
    database: { url: databaseUrl },
    chains: { [chain.chainId]: { rpcUrls: [chain.rpcUrl], confirmations: 1 } },
    defaultChainId: chain.chainId,
  });
  const app = await NestFactory.createApplicationContext(module, { logger: ['error', 'warn'] });
  return { nonces: app.get(NonceComponent), close: () => app.close() };
}
