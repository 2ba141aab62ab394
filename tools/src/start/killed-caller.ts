/**
 * A caller that takes a nonce and dies by kill -9 while it holds it. Started by the demo as a
 * process of its own; configured by environment alone.
 */
import { openComponent } from './demo-component';

async function main(): Promise<void> {
  const read = (name: string): string => process.env[name] ?? '';
  const chain = {
    chainId: Number(read('DEMO_CHAIN_ID')),
    rpcUrl: read('DEMO_RPC_URL'),
    mnemonic: undefined,
  };
  const stores = {
    databaseUrl: read('DEMO_DATABASE_URL'),
    redisUrl: read('DEMO_REDIS_URL'),
    witnessDir: read('DEMO_WITNESS_DIR'),
  };
  const { nonces } = await openComponent(stores, chain);
  const operationId = process.env['DEMO_OPERATION_ID'];
  await nonces.withNonce(
    read('DEMO_WALLET'),
    (context) => {
      process.stdout.write(`${String(context.nonce)}\n`, () => {
        process.kill(process.pid, 'SIGKILL');
      });
      return new Promise<never>(() => undefined);
    },
    {
      exposure: 'declared',
      ttlMs: Number(read('DEMO_TTL_MS')),
      ...(operationId === undefined ? {} : { operationId }),
    },
  );
}

void main();
