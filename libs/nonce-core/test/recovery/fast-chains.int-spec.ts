import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { NonceError } from '../../src/domain/errors/nonce-error';
import { submitterParts, type Submitter } from '../../src/domain/submitter';
import { NonceComponent } from '../../src/module/nonce-component';
import { NonceModule } from '../../src/module/nonce.module';
import { NonceRecoveryService } from '../../src/module/nonce-recovery-service';
import { MODE_SOURCE, MODE_STORE } from '../../src/module/tokens';
import type { ModeSource } from '../../src/ports/mode-source.port';
import type { ModeStore } from '../../src/ports/mode-store.port';
import { FakeChain } from '../../src/testing/fake-chain';
import { newSubmitter } from '../support/store-fixture';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { openTestRedis, type TestRedis } from '../support/test-redis';

const STRICT_CHAIN = 7;
const noop = (): void => undefined;
const reason = 'a test';

let database: TestDatabase;
let redis: TestRedis;
let app: INestApplicationContext;
let chain: FakeChain;
let strictChain: FakeChain;

/** A host in the performance mode, on one chain that queues and one that refuses gaps. */
beforeAll(async () => {
  [database, redis] = await Promise.all([openTestDatabase(), openTestRedis()]);
  chain = new FakeChain();
  strictChain = new FakeChain({ chainId: STRICT_CHAIN });
  const options = {
    database: { url: database.url, schema: database.schema, poolSize: 4 },
    mode: 'PERFORMANCE' as const,
    redis: { client: redis.client, keyPrefix: redis.prefix },
    logger: { debug: noop, info: noop, warn: noop, error: noop },
    chains: {
      [chain.chainId]: { client: { reader: chain, sender: chain } },
      [STRICT_CHAIN]: {
        client: { reader: strictChain, sender: strictChain },
        strictNonce: true,
      },
    },
  };
  app = await NestFactory.createApplicationContext(NonceModule.forRoot(options), {
    logger: false,
    abortOnError: false,
  });
});
afterAll(async () => {
  await app.close();
  await Promise.all([database.close(), redis.close()]);
});

const nonces = () => app.get(NonceComponent);
const recovery = () => app.get(NonceRecoveryService);

async function issue(submitter: Submitter, count = 1): Promise<readonly number[]> {
  const allocations = await nonces().allocate(submitter, { count, exposure: 'declared' });
  return allocations.map(({ nonce }) => nonce);
}

const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: unknown) => (error instanceof NonceError ? error.code : String(error)),
  );

async function pin(submitter: Submitter, mode: 'RELIABLE' | null): Promise<void> {
  await app.get<ModeStore>(MODE_STORE).pin(submitter, mode, 'a test');
  await app.get<ModeSource>(MODE_SOURCE).refresh();
}

it('H-22, L13: a fast store stops at a reset, and goes on with the new chain only after it', async () => {
  const submitter = newSubmitter(chain.chainId);
  const held = await nonces().allocate(submitter, { count: 3, exposure: 'declared' });
  expect(held.map(({ engine }) => engine)).toEqual(Array(3).fill('performance'));
  chain.restart();
  expect(await refusal(recovery().alignWithChain(submitter))).toBe('NONCE_CHAIN_RESET');
  expect(await refusal(issue(submitter))).toBe('NONCE_CHAIN_RESET');
  const order = { reason, dryRun: false };
  expect(await refusal(recovery().rebaseline(submitter, order))).toBe('NONCE_PRECONDITION');

  await pin(submitter, 'RELIABLE');
  expect(await refusal(issue(submitter))).toBe('NONCE_CHAIN_RESET');
  expect(await recovery().rebaseline(submitter, order)).toMatchObject({ nextNonce: 0 });
  expect(await issue(submitter)).toEqual([0]);

  await pin(submitter, null);
  expect(await issue(submitter, 4)).toEqual([1, 2, 3, 4]);
  expect((await nonces().inspect(submitter)).engine).toBe('performance');
  const late = held[0];
  const txHash = `0x${'ab'.repeat(32)}` as const;
  expect(late && (await refusal(nonces().intent(late, { txHash })))).toBe('NONCE_FENCED');
});

it('I-44, L3: a fast store has one nonce of a delegated account in flight', async () => {
  const submitter = newSubmitter(chain.chainId);
  const { address } = submitterParts(submitter);
  expect(await issue(submitter)).toEqual([0]);
  chain.delegate(address);
  await recovery().alignWithChain(submitter);
  expect(await refusal(issue(submitter))).toBe('NONCE_IN_FLIGHT_LIMIT');
  chain.delegate(address, false);
  await recovery().alignWithChain(submitter);
  expect(await issue(submitter, 2)).toEqual([1, 2]);
});

it('I-44, L3: has one nonce in flight from its first use on', async () => {
  const submitter = newSubmitter(chain.chainId);
  chain.delegate(submitterParts(submitter).address);
  expect(await refusal(issue(submitter, 2))).toBe('NONCE_IN_FLIGHT_LIMIT');
  expect(await issue(submitter)).toEqual([0]);
  expect(await refusal(issue(submitter))).toBe('NONCE_IN_FLIGHT_LIMIT');
});

it('I-45: chains that refuse gaps are issued one by one by the reliable engine in every mode', async () => {
  const submitter = newSubmitter(STRICT_CHAIN);
  expect(await issue(submitter)).toEqual([0]);
  expect(await refusal(issue(submitter))).toBe('NONCE_IN_FLIGHT_LIMIT');
  expect((await nonces().inspect(submitter)).engine).toBe('reliable');
});
