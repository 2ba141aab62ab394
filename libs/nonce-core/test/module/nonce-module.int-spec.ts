import { Injectable, Module } from '@nestjs/common';
import { RedisModule } from '@liaoliaots/nestjs-redis';
import { NestFactory } from '@nestjs/core';
import { Registry } from 'prom-client';
import {
  createPublicClient,
  createWalletClient,
  defineChain,
  http,
  parseGwei,
  type Hex,
} from 'viem';
import { parseSubmitter } from '../../src/domain/submitter';
import type { SubmitterStore } from '../../src/ports/submitter-store.port';
import { NonceOutcome } from '../../src/domain/nonce-outcome';
import { InjectNonce, InjectSubmitter, SubmitterNonces } from '../../src/module/named-submitters';
import { NonceComponent } from '../../src/module/nonce-component';
import { NonceEvents } from '../../src/module/nonce-events';
import { NonceHealthIndicator } from '../../src/module/nonce-health-indicator';
import { NonceRecoveryService } from '../../src/module/nonce-recovery-service';
import { NonceModule } from '../../src/module/nonce.module';
import type { NonceModuleOptions } from '../../src/module/options';
import { createDataSource } from '../../src/postgres/data-source';
import { METRICS_REGISTRY, SUBMITTER_STORE } from '../../src/module/tokens';
import { NonceExecutionTemplate } from '../../src/template/nonce-execution-template';
import type { NonceContext } from '../../src/template/nonce-context';
import { nonceTransport } from '../../src/viem/nonce-transport';
import { toViemAccount } from '../../src/viem/to-viem-account';
import { toViemNonceManager } from '../../src/viem/to-viem-nonce-manager';
import { startTestChain, type TestChain } from '../support/test-chain';
import { openEmptyDatabase, openTestDatabase, type TestDatabase } from '../support/test-database';
import { openTestRedis } from '../support/test-redis';
import { viemChainClient } from './viem-chain-client';

const QUIET = { logger: false, abortOnError: false } as const;
const RECIPIENT: Hex = '0x00000000000000000000000000000000000000aa';

let database: TestDatabase;
let chain: TestChain;

beforeAll(async () => {
  [database, chain] = await Promise.all([openTestDatabase(), startTestChain()]);
});

afterAll(async () => {
  await Promise.all([database.close(), chain.close()]);
});

const optionsOf = (on: TestDatabase = database): NonceModuleOptions => ({
  database: { url: on.url, schema: on.schema, poolSize: 4 },
  chains: { [chain.chainId]: { rpcUrls: [chain.rpcUrl], confirmations: 1 } },
  defaultChainId: chain.chainId,
  logger: { debug: noop, info: noop, warn: noop, error: noop },
});

function noop(): void {
  // The tests assert on what is stored; the log is for people.
}

async function open(options = optionsOf()) {
  return NestFactory.createApplicationContext(NonceModule.forRoot(options), {
    logger: false,
    abortOnError: false,
  });
}

function viemChain() {
  return defineChain({
    id: chain.chainId,
    name: 'test',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [chain.rpcUrl] } },
  });
}

const signTransfer = (index: number, nonce: number) =>
  chain.account(index).signTransaction({
    chainId: chain.chainId,
    type: 'eip1559',
    nonce,
    to: RECIPIENT,
    value: 1n,
    gas: 21_000n,
    maxFeePerGas: parseGwei('50'),
    maxPriorityFeePerGas: parseGwei('1'),
  });

describe('a Nest app with the nonce module', () => {
  it('sends transfers of many callers with contiguous nonces that all mine', async () => {
    const app = await open();
    const nonces = app.get(NonceComponent);
    const { address } = chain.account(0);
    const transfers = Array.from({ length: 24 }, () =>
      nonces.execute(address, async (ctx) => ctx.send(await signTransfer(0, ctx.nonce))),
    );
    const done = await Promise.all(transfers);
    expect(done.map((execution) => execution.nonce).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 24 }, (_, nonce) => nonce),
    );
    expect(new Set(done.map((execution) => execution.stage))).toEqual(new Set(['BROADCAST']));
    const client = createPublicClient({ transport: http(chain.rpcUrl) });
    expect(await client.getTransactionCount({ address })).toBe(24);
    await app.close();
  });

  it('gives a nonce back at once when the handler failed before sending', async () => {
    const app = await open();
    const nonces = app.get(NonceComponent);
    const { address } = chain.account(1);
    const failing = nonces.withNonce(address, (ctx) => {
      throw new Error(`refused by the compliance check, nonce ${ctx.nonce}`);
    });
    await expect(failing).rejects.toThrow('refused by the compliance check');
    const next = await nonces.execute(address, async (ctx) => ctx.nonce);
    expect(next).toMatchObject({ value: 0, source: 'recycled', stage: 'ASSERTED' });
    await app.close();
  });

  it('writes the intent between prepare and send of a submit', async () => {
    const app = await open();
    const nonces = app.get(NonceComponent);
    const { address } = chain.account(2);
    const stages: (string | undefined)[] = [];
    const hash = await nonces.submit(address, {
      prepare: (ctx) => signTransfer(2, ctx.nonce),
      send: async (rawTx, ctx) => {
        const { rows } = await database.pool.query<{ stage: string }>(
          'SELECT stage FROM submitter_nonce_allocation WHERE id = $1',
          [ctx.allocationId],
        );
        stages.push(rows[0]?.stage);
        const client = createPublicClient({ transport: http(chain.rpcUrl) });
        return client.sendRawTransaction({ serializedTransaction: rawTx });
      },
    });
    expect(stages).toEqual(['INTENT']);
    expect(hash).toMatch(/^0x/);
    await app.close();
  });

  it('exposes events, metrics, health and recovery, and settles by hand', async () => {
    const app = await open();
    const nonces = app.get(NonceComponent);
    const { address } = chain.account(3);
    const seen: string[] = [];
    app.get(NonceEvents).on('allocation.transition', () => {
      throw new Error('a listener of the host is broken');
    });
    const stop = app.get(NonceEvents).on('allocation.transition', ({ to }) => seen.push(to));
    const [first, second] = await nonces.allocate(address, { count: 2 });
    await nonces.intent(first!, { txHash: `0x${'11'.repeat(32)}` });
    await nonces.markRecyclable({ submitter: address, nonce: 1 }, { reason: 'not needed' });
    stop();
    expect(seen).toEqual(['GRANTED', 'GRANTED', 'INTENT', 'REUSABLE']);
    expect(second!.nonce).toBe(1);
    await expect(nonces.heartbeat({ submitter: address, nonce: 77 })).rejects.toMatchObject({
      code: 'NONCE_FENCED',
    });
    const metrics = await app.get<Registry>(METRICS_REGISTRY).metrics();
    expect(metrics).toContain(
      'nonce_allocations_total{engine="reliable",source="fresh",result="granted"} 2',
    );
    expect(await app.get(NonceHealthIndicator).check('nonce')).toMatchObject({
      nonce: { status: 'up', postgres: { status: 'up' } },
    });
    const report = await app.get(NonceRecoveryService).alignWithChain(address);
    expect(report).toMatchObject({ chainLatest: 0 });
    await app.close();
  });

  it('tells running handlers to stop, refuses new work, and gives back what was not exposed', async () => {
    const app = await open({ ...optionsOf(), shutdown: { deadlineMs: 100 } });
    const nonces = app.get(NonceComponent);
    const { address } = chain.account(4);
    let running!: (ctx: NonceContext) => void;
    const started = new Promise<NonceContext>((resolve) => (running = resolve));
    let finish!: () => void;
    const released = new Promise<void>((resolve) => (finish = resolve));
    const call = nonces.withNonce(address, async (ctx) => {
      running(ctx);
      await released;
      await ctx.intent({ txHash: `0x${'22'.repeat(32)}` });
    });
    const outcome = expect(call).rejects.toMatchObject({ code: 'NONCE_ALLOCATION_CLOSED' });
    const ctx = await started;
    const closing = app.close();
    await new Promise<void>((resolve) => {
      ctx.signal.addEventListener('abort', () => resolve());
    });
    await expect(nonces.withNonce(address, async () => 1)).rejects.toMatchObject({
      code: 'NONCE_STORE_UNAVAILABLE',
    });
    await closing;
    finish();
    await outcome;
    const { rows } = await database.pool.query<{ stage: string }>(
      'SELECT stage FROM submitter_nonce_allocation WHERE id = $1',
      [ctx.allocationId],
    );
    expect(rows[0]?.stage).toBe('REUSABLE');
  });
});

describe('configuration of the module', () => {
  it('keeps two modules in one process apart: stores, metrics and events', async () => {
    const other = await openTestDatabase();
    const [first, second] = await Promise.all([open(), open(optionsOf(other))]);
    const { address } = chain.account(5);
    const heard: string[] = [];
    second.get(NonceEvents).on('allocation.transition', () => heard.push('second'));
    const one = await first.get(NonceComponent).execute(address, async (ctx) => ctx.nonce);
    expect(heard).toEqual([]);
    const two = await second.get(NonceComponent).execute(address, async (ctx) => ctx.nonce);
    expect([one.value, two.value]).toEqual([0, 0]);
    expect(first.get(METRICS_REGISTRY)).not.toBe(second.get(METRICS_REGISTRY));
    await Promise.all([first.close(), second.close()]);
    await other.close();
  });

  it('takes options from a factory, and named submitters with windows of their own', async () => {
    @Injectable()
    class Treasury {
      constructor(
        @InjectNonce() readonly nonces: NonceComponent,
        @InjectSubmitter('treasury') readonly treasury: SubmitterNonces,
      ) {}
    }
    const submitter = chain.account(6).address;
    @Module({
      imports: [
        NonceModule.forRootAsync({ useFactory: async () => optionsOf() }),
        NonceModule.forFeature([{ name: 'treasury', submitter, maxInFlight: 2 }]),
      ],
      providers: [Treasury],
    })
    class HostModule {}
    const app = await NestFactory.createApplicationContext(HostModule, {
      logger: false,
      abortOnError: false,
    });
    const { treasury, nonces } = app.get(Treasury);
    await treasury.allocate({ count: 2 });
    await expect(treasury.allocate()).rejects.toMatchObject({ code: 'NONCE_IN_FLIGHT_LIMIT' });
    expect(await nonces.inspect(submitter)).toMatchObject({ maxInFlight: 2, nextLocalNonce: 2 });
    await app.close();
  });

  it('accepts an open data source of the host and leaves it open', async () => {
    const dataSource = createDataSource({ url: database.url, schema: database.schema });
    await dataSource.initialize();
    const app = await open({ ...optionsOf(), database: { dataSource, schema: database.schema } });
    await app.get(NonceComponent).allocate(chain.account(7).address);
    await app.close();
    expect(dataSource.isInitialized).toBe(true);
    await dataSource.destroy();
  });

  it("finds the Redis of the host's nestjs-redis, shows it in its health, and works without", async () => {
    const redis = await openTestRedis();
    const appWith = async (settings: NonceModuleOptions['redis']) => {
      @Module({
        imports: [
          RedisModule.forRoot({ closeClient: true, config: { url: redis.url } }),
          NonceModule.forRoot({ ...optionsOf(), redis: { keyPrefix: redis.prefix, ...settings } }),
        ],
      })
      class RedisHost {}
      return NestFactory.createApplicationContext(RedisHost, QUIET);
    };
    const [using, without] = await Promise.all([appWith({}), appWith({ enabled: false })]);
    const { address } = chain.account(7);
    await using.get(NonceComponent).allocate(address);
    await without.get(NonceComponent).allocate(address);
    const health = async (app: typeof using) => app.get(NonceHealthIndicator).check('nonce');
    expect(await health(using)).toMatchObject({ nonce: { redis: { status: 'up' } } });
    expect(await health(without)).not.toHaveProperty('nonce.redis');
    const skipped = await using
      .get<Registry>(METRICS_REGISTRY)
      .getSingleMetricAsString('nonce_lock_skipped_total');
    expect(skipped).not.toMatch(/nonce_lock_skipped_total\{/);
    await Promise.all([using.close(), without.close()]);
    await redis.close();
  });

  it('takes a chain client of the host, without the adapter', async () => {
    const client = viemChainClient(chain.chainId, chain.rpcUrl);
    const app = await open({ ...optionsOf(), chains: { [chain.chainId]: { client } } });
    const { address } = chain.account(7);
    const report = await app.get(NonceComponent).execute(address, async (ctx) => {
      return ctx.send(await signTransfer(7, ctx.nonce));
    });
    expect(report).toMatchObject({ stage: 'BROADCAST', txHash: report.value });
    await app.close();
  });

  it('refuses a database without the tables, with the code that names the mending', async () => {
    const empty = await openEmptyDatabase();
    await expect(open(optionsOf(empty))).rejects.toMatchObject({ code: 'NONCE_SCHEMA_BEHIND' });
    await empty.close();
  });
});

describe('viem clients', () => {
  const walletOf = (index: number, nonces: NonceComponent) =>
    createWalletClient({
      account: toViemAccount(nonces, chain.account(index)),
      chain: viemChain(),
      transport: http(chain.rpcUrl),
    });

  it('an account signs with allocated nonces and writes each intent before its bytes leave', async () => {
    const app = await open();
    const wallet = walletOf(8, app.get(NonceComponent));
    const sends = Array.from({ length: 5 }, () =>
      wallet.sendTransaction({ to: RECIPIENT, value: 1n }),
    );
    const hashes = await Promise.all(sends);
    const { rows } = await database.pool.query<{ nonce: string; stage: string; hash: string }>(
      `SELECT nonce, stage, tx_hash AS hash FROM submitter_nonce_allocation
        WHERE submitter = $1 ORDER BY nonce`,
      [`eip155:${chain.chainId}:${chain.account(8).address.toLowerCase()}`],
    );
    expect(rows.map((row) => Number(row.nonce))).toEqual([0, 1, 2, 3, 4]);
    expect(new Set(rows.map((row) => row.hash))).toEqual(new Set(hashes));
    expect(new Set(rows.map((row) => row.stage))).toEqual(new Set(['INTENT']));
    await app.close();
  });

  it("an account used inside a handler signs with that handler's nonce", async () => {
    const app = await open();
    const nonces = app.get(NonceComponent);
    const wallet = walletOf(9, nonces);
    const done = await nonces.execute(chain.account(9).address, () =>
      wallet.sendTransaction({ to: RECIPIENT, value: 1n }),
    );
    expect(done).toMatchObject({ nonce: 0, stage: 'BROADCAST', txHash: done.value });
    await app.close();
  });

  it('a transport writes the intent of the running handler, and refuses another nonce', async () => {
    const app = await open();
    const nonces = app.get(NonceComponent);
    const { address } = chain.account(9);
    const client = createPublicClient({
      chain: viemChain(),
      transport: nonceTransport(nonces, http(chain.rpcUrl)),
    });
    const sent = await nonces.execute(address, async (ctx) =>
      client.sendRawTransaction({ serializedTransaction: await signTransfer(9, ctx.nonce) }),
    );
    expect(sent).toMatchObject({ nonce: 1, stage: 'BROADCAST', txHash: sent.value });
    const wrong = nonces.withNonce(address, async (ctx) =>
      client.sendRawTransaction({ serializedTransaction: await signTransfer(9, ctx.nonce + 1) }),
    );
    await expect(wrong).rejects.toThrow('is signed for nonce 3');
    const byNode = nonces.withNonce(address, () =>
      client.request({
        method: 'eth_sendTransaction' as never,
        params: [{ from: address, to: RECIPIENT, value: '0x1' }] as never,
      }),
    );
    await expect(byNode).rejects.toThrow('would be signed by the node');
    await app.close();
  });

  it('a nonce manager allocates, with exposure assumed', async () => {
    const app = await open();
    const nonces = app.get(NonceComponent);
    const manager = toViemNonceManager(nonces);
    const { address } = chain.account(3);
    const client = createPublicClient({ transport: http(chain.rpcUrl) });
    const nonce = await manager.consume({ address, chainId: chain.chainId, client });
    const { rows } = await database.pool.query<{ exposure: string }>(
      'SELECT exposure FROM submitter_nonce_allocation WHERE submitter = $1 AND nonce = $2',
      [`eip155:${chain.chainId}:${address.toLowerCase()}`, nonce],
    );
    expect(rows[0]?.exposure).toBe('assumed');
    await app.close();
  });
});

describe('outcomes through the module', () => {
  it("follows the submitter's own exposure where the call names none", async () => {
    const app = await open();
    const nonces = app.get(NonceComponent);
    const submitter = parseSubmitter({ chainId: 777, address: `0x${'08'.repeat(20)}` });
    const [first] = await nonces.allocate(submitter, { startNonce: 4 });
    await nonces.markUsed(first!);
    await app
      .get<SubmitterStore>(SUBMITTER_STORE)
      .updateSettings(submitter, { exposure: 'assumed' });
    const other = await open();
    const call = other.get(NonceComponent).withNonce(submitter, (ctx) => {
      throw new Error(`a business rule refuses ${ctx.nonce}`);
    });
    await expect(call).rejects.toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN' });
    await Promise.all([app.close(), other.close()]);
  });

  it('runs a handler again with the same nonce after a retry, and keeps it with a note', async () => {
    const app = await open();
    const template = app.get(NonceExecutionTemplate);
    const submitter = { chainId: 777, address: `0x${'07'.repeat(20)}` };
    const nonces: number[] = [];
    const done = await template.execute(
      submitter,
      async (ctx) => {
        nonces.push(ctx.nonce);
        return ctx.attempt < 3 ? NonceOutcome.retry() : NonceOutcome.keep('waits for approval');
      },
      { startNonce: 0, operationId: 'payment-1' },
    );
    expect(nonces).toEqual([0, 0, 0]);
    expect(done).toMatchObject({ status: 'RESERVED', stage: 'GRANTED', attempts: 3 });
    const again = await template.execute(submitter, async (ctx) => ctx.nonce, {
      operationId: 'payment-1',
    });
    expect(again).toMatchObject({ value: 0, stage: 'ASSERTED', replayed: true });
    await app.close();
  });
});
