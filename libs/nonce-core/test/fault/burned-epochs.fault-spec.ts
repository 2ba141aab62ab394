import { createEvmChain } from '@noncekit/chain-adapter';
import { RedisServer } from '../../../../tools/src/stack/index';
import type { Nonce } from '../../src/domain/nonce';
import { submitterParts, toChainId, type Submitter } from '../../src/domain/submitter';
import type { PerformanceEngine } from '../../src/engines/performance/performance-engine';
import type { ChainRegistry, ConfiguredChain } from '../../src/ports/chain.port';
import { contractWorld, type ContractWorld } from '../../src/testing';
import { burnSignerOf } from '../support/burn-signer';
import { openFastFixture, redisOfItsOwn, type FastFixture } from '../support/fast-fixture';
import { startTestChain, type TestChain } from '../support/test-chain';
import { waitFor } from '../support/wait-for';
import { readLedger } from './ledger';
import { openNode, type OpenNode } from './nodes/open-node';
import { sendRaw, signTransfer, transactionCount } from './transfers';

const ACCOUNT = 1;
const WINDOW = 64;
const BURN = { ms: 300, release: 'burn' } as const;
const SETTINGS = { confirmations: 0, reorgDepth: 1, pollIntervalMs: 50 };
/** A chain with a block per second has to mine several of them. */
const CHAIN_TIMEOUT_MS = 60_000;

let chain: TestChain;
let server: RedisServer;
let fixture: FastFixture;
let engine: PerformanceEngine;
let worker: OpenNode;

beforeAll(async () => {
  [chain, server] = await Promise.all([
    startTestChain({ blockTimeSeconds: 1 }),
    RedisServer.start(),
  ]);
  fixture = await openFastFixture({ redis: await redisOfItsOwn(server.url), world: realWorld() });
  engine = fixture.node({ intents: 'relaxed' });
  const { url: databaseUrl, schema } = fixture.database;
  worker = await openNode({
    databaseUrl,
    schema,
    chains: { [chain.chainId]: { rpcUrls: [chain.rpcUrl], ...SETTINGS } },
    quarantine: BURN,
    burnSigner: burnSignerOf(chain, [ACCOUNT]),
    sweepIntervalMs: 50,
  });
});
afterAll(async () => {
  await worker.close();
  await engine.stop(5_000);
  await fixture.close();
  await Promise.all([server.stop(), chain.close()]);
});

/** The engine's surroundings with a chain that really mines. */
function realWorld(): ContractWorld {
  const profile = {
    chainId: toChainId(chain.chainId),
    finalityTag: 'finalized',
    maxInFlight: WINDOW,
    strictNonce: false,
    ...SETTINGS,
  } as const;
  const configured: ConfiguredChain = createEvmChain({ profile, rpcUrls: [chain.rpcUrl] });
  const chains: ChainRegistry = {
    all: [configured],
    find: (id) => (id === profile.chainId ? configured : undefined),
  };
  return {
    ...contractWorld(),
    chains,
    quarantine: BURN,
    baseline: {
      async resolve(submitter) {
        const { address } = submitterParts(submitter);
        const chainLatestCount = await configured.reader.transactionCount(address, 'latest');
        return {
          submitter,
          quarantine: BURN,
          startNonce: chainLatestCount as Nonce,
          pendingCount: chainLatestCount,
          chainLatestCount,
          chainFinalizedCount: null,
          genesisHash: await configured.reader.genesisHash(),
        };
      },
    },
  };
}

async function take(submitter: Submitter) {
  const command = { submitter, count: 1, ttlMs: 60_000, exposure: 'inferred' } as const;
  const [allocation] = (await engine.allocate(command)).allocations;
  if (allocation === undefined) throw new Error('a grant without an allocation');
  return allocation;
}

it(
  'H-12: with a burn signer, what a lost Redis may have granted is closed on the chain, lowest first, and the next allocation is mined',
  async () => {
    const address = chain.account(ACCOUNT).address.toLowerCase();
    const submitter = `eip155:${chain.chainId}:${address}` as Submitter;
    for (let taken = 0; taken < 10; taken += 1) await take(submitter);
    const { ceiling = 0 } = (await fixture.submitters.view(submitter, WINDOW)) ?? {};
    expect(ceiling).toBeGreaterThanOrEqual(10);
    expect(ceiling).toBeLessThanOrEqual(WINDOW / 2);
    await server.kill();
    await server.restart();

    const next = await waitFor(() => take(submitter).catch(() => false as const), {
      describe: 'service after the loss',
      everyMs: 50,
      timeoutMs: CHAIN_TIMEOUT_MS,
    });
    expect(next).toMatchObject({ nonce: ceiling, source: 'fresh' });

    const closed = await waitFor(
      async () => {
        const { rows } = await readLedger(fixture.database.pool, submitter);
        const lost = rows.filter(({ nonce }) => nonce < ceiling);
        return lost.every(({ stage }) => stage === 'BURNT') ? lost : undefined;
      },
      { describe: 'everything below to be closed', timeoutMs: CHAIN_TIMEOUT_MS },
    );
    expect(closed).toHaveLength(ceiling);
    expect(await transactionCount(chain, ACCOUNT)).toBe(ceiling);

    const { nonce } = next;
    const work = { chainId: chain.chainId, account: ACCOUNT, nonce, amount: 79_001 };
    const { rawTx, txHash } = await signTransfer(work);
    await engine.intent(next, { txHash, rawTx });
    await sendRaw(chain.rpcUrl, rawTx);
    await engine.markUsed(next, { txHash });
    await waitFor(async () => (await transactionCount(chain, ACCOUNT)) === ceiling + 1, {
      describe: 'the next allocation to be mined',
    });
  },
  2 * CHAIN_TIMEOUT_MS,
);
