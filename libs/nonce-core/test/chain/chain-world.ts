import { NestFactory } from '@nestjs/core';
import type { INestApplicationContext } from '@nestjs/common';
import { createBurnSigner, createEvmChain, createSigner } from '@noncekit/chain-adapter';
import { ScriptedChain } from '../../../chain-adapter/test/support/scripted-chain';
import { ScriptedProvider } from '../../../chain-adapter/test/support/scripted-provider';
import { keccak256 } from 'viem';
import type { Hex } from '../../src/domain/brand';
import { isNonceError } from '../../src/domain/errors/nonce-error';
import { toChainId } from '../../src/domain/submitter';
import { NonceComponent } from '../../src/module/nonce-component';
import { NonceModule } from '../../src/module/nonce.module';
import { CheckedSigner } from '../../src/module/tracking/checked-signer';
import { ViemSignedTransactions } from '../../src/viem/viem-signed-transactions';
import type { ChainProfile } from '../../src/ports/chain.port';
import type { StoreFixture } from '../support/store-fixture';
import { WorldJobs } from './world-jobs';
import { WorldPayer, type Grant, type Operation } from './world-payer';

const ETHER = 10n ** 18n;
const ROUNDS_MAX = 60;
/** Beyond every reorg of the worlds. */
const FINALITY_DEPTH = 20;

export interface WorldOptions {
  readonly payers?: number;
  readonly providers?: number;
  /** Wei that each payer has from the start. */
  readonly balance?: bigint;
  readonly depth?: number;
  readonly refusesGaps?: boolean;
  readonly profile?: Partial<ChainProfile>;
  /** Closes quarantined nonces with burns. */
  readonly burns?: boolean;
  /** Signs the same payments again for higher fees. */
  readonly bumps?: boolean;
}

/**
 * A host with its accounts on a scripted chain: the module, Postgres, the adapter over HTTP and real
 * signatures. Nothing happens by a timer: a round is one tick of every job of a worker, a minute
 * after the one before.
 */
export class ChainWorld {
  private constructor(
    readonly chain: ScriptedChain,
    readonly providers: readonly ScriptedProvider[],
    readonly payers: readonly WorldPayer[],
    readonly jobs: WorldJobs,
    private readonly app: INestApplicationContext,
  ) {}

  static async open(
    fixture: StoreFixture,
    options: WorldOptions & { readonly chainId: number },
  ): Promise<ChainWorld> {
    const { chainId, depth, refusesGaps, balance = 100n * ETHER } = options;
    const payers = Array.from(
      { length: options.payers ?? 1 },
      (_, index) => new WorldPayer(chainId, `payer ${index}`),
    );
    const chain = new ScriptedChain({
      chainId,
      finalityDepth: FINALITY_DEPTH,
      balances: new Map(payers.map(({ address }) => [address, balance])),
      ...(depth === undefined ? {} : { depth }),
      ...(refusesGaps === undefined ? {} : { refusesGaps }),
    });
    const starts = Array.from({ length: options.providers ?? 1 }, () =>
      ScriptedProvider.start(chain),
    );
    const providers = await Promise.all(starts);
    const rpcUrls = providers.map(({ url }) => url);
    const profile = profileOf(chainId, options.profile);
    const configured = createEvmChain({ profile, rpcUrls });
    const chains = [{ chainId, rpcUrls }];
    const privateKeys = payers.map(({ privateKey }) => privateKey);
    const burnSigner = options.burns === true ? createBurnSigner({ privateKeys, chains }) : null;
    const signer =
      options.bumps === true
        ? new CheckedSigner(createSigner({ privateKeys, chains }), new ViemSignedTransactions())
        : null;
    const jobs = new WorldJobs({ fixture, chain: configured, payers, burnSigner, signer });
    const app = await NestFactory.createApplicationContext(
      NonceModule.forRoot({
        database: { dataSource: fixture.source, schema: fixture.database.schema },
        chains: { [chainId]: { client: configured, ...settingsOf(profile) } },
        template: { retry: { backoffMs: 1 } },
        allocation: { waitMs: 0 },
        logger: SILENT,
      }),
      { logger: false, abortOnError: false },
    );
    return new ChainWorld(chain, providers, payers, jobs, app);
  }

  async close(): Promise<void> {
    await this.app.close();
    await Promise.all(this.providers.map(({ node }) => node.down()));
  }

  get payer(): WorldPayer {
    return this.payers[0] as WorldPayer;
  }

  get provider(): ScriptedProvider {
    return this.providers[0] as ScriptedProvider;
  }

  /** One operation through the library. Its caller never gives up a nonce by itself. */
  async pay(payer = this.payer, operation = payer.operation()): Promise<Operation> {
    const component = this.app.get(NonceComponent);
    let grant: Grant | undefined;
    const steps = {
      prepare: async (ctx: { nonce: number; allocationId: string; source: Grant['source'] }) => {
        const { nonce, allocationId, source } = ctx;
        this.refuseFinalNonce(payer, nonce);
        grant = { operation, allocationId, nonce, source, sent: null };
        payer.grants.push(grant);
        return payer.sign(nonce, operation.wei);
      },
      send: async (rawTx: Hex, ctx: { send(raw: Hex): Promise<Hex> }) => {
        if (grant !== undefined) grant.sent = keccak256(rawTx);
        return ctx.send(rawTx);
      },
    };
    try {
      await component.submit(payer.submitter, steps, { operationId: operation.id });
      operation.told = 'sent';
    } catch (error) {
      if (!isNonceError(error)) throw error;
      operation.told = error.code;
    }
    return operation;
  }

  /** So many operations one after the other. */
  async payMany(count: number, payer = this.payer): Promise<void> {
    for (let i = 0; i < count; i += 1) await this.pay(payer);
  }

  /** A host that dies with signed bytes in its hands; the library knows nothing but their hash. */
  async dieBeforeSending(payer = this.payer): Promise<Hex> {
    const component = this.app.get(NonceComponent);
    const operation = payer.operation();
    const options = { operationId: operation.id };
    const [allocation] = await component.allocate(payer.submitter, options);
    if (allocation === undefined) throw new Error('nothing was granted');
    const { id: allocationId, nonce, source } = allocation;
    const rawTx = await payer.sign(nonce, operation.wei);
    const txHash = keccak256(rawTx);
    await component.intent(allocation, { txHash });
    payer.grants.push({ operation, allocationId, nonce, source, sent: txHash });
    return rawTx;
  }

  /** A transaction of the same account that the library knows nothing of. */
  async payElsewhere(nonce: number, gwei = 40n, payer = this.payer): Promise<boolean> {
    const taken = await this.chain.submit(
      await payer.sign(nonce, 1_000_000n + BigInt(nonce), gwei),
    );
    return typeof taken !== 'string';
  }

  round(): Promise<void> {
    return this.jobs.round({ healed: false });
  }

  /** Everything is told truly again, from now on. */
  heal(): void {
    for (const provider of this.providers) {
      provider.lagBlocks = 0;
      provider.countsAhead = 0;
      provider.client = 'geth';
      provider.fates.splice(0);
      provider.node.misbehaviour = 'none';
    }
    this.chain.baseFee = 10n ** 9n;
  }

  /**
   * Heals, lets traffic go on, and mines until every nonce has come to an end (L1, L4).
   * @throws Error naming the rows that come to none.
   */
  async settle(): Promise<void> {
    this.heal();
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      for (const payer of this.payers) await this.takeUpWaiting(payer);
      this.chain.mine(round % 4 === 3 ? FINALITY_DEPTH + 1 : 1);
      await this.jobs.round({ healed: true });
      if (round % 4 === 3 && (await this.jobs.openRows()).length === 0) return;
    }
    throw new Error(`never settled: ${JSON.stringify(await this.jobs.openRows())}`);
  }

  /** Callers that were refused for now ask again, and a nonce given back is asked for. */
  private async takeUpWaiting(payer: WorldPayer): Promise<void> {
    const refused = payer.operations.filter(
      ({ id, told }) =>
        told !== 'sent' && !payer.grants.some((g) => g.operation.id === id && g.sent !== null),
    );
    for (const operation of refused) await this.pay(payer, operation);
    // One at a time, lowest first: a quarantined nonce is released to traffic as a replacement.
    const released = this.jobs.burns ? ['REUSABLE'] : ['REUSABLE', 'QUARANTINED'];
    const rows = await this.jobs.rows(payer);
    if (rows.some(({ stage }) => released.includes(stage))) await this.pay(payer);
  }

  /** S7: ground truth for every grant. */
  private refuseFinalNonce(payer: WorldPayer, nonce: number): void {
    const final = this.chain.blockAt(this.chain.finalized);
    const { count } = this.chain.accountAt(payer.address, final);
    if (nonce < count) throw new Error(`S7: nonce ${nonce} granted, ${count} are final`);
  }
}

function profileOf(chainId: number, changes: Partial<ChainProfile> = {}): ChainProfile {
  return {
    chainId: toChainId(chainId),
    confirmations: 2,
    finalityTag: 'finalized',
    reorgDepth: 50,
    pollIntervalMs: 100,
    maxInFlight: 64,
    strictNonce: false,
    ...changes,
  };
}

function settingsOf(profile: ChainProfile): Omit<ChainProfile, 'chainId'> {
  return Object.fromEntries(
    Object.entries(profile).filter(([name]) => name !== 'chainId'),
  ) as unknown as Omit<ChainProfile, 'chainId'>;
}

const quiet = (): undefined => undefined;
const SILENT = { debug: quiet, info: quiet, warn: quiet, error: quiet };
