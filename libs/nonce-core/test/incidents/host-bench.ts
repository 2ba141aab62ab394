import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { keccak256, parseGwei } from 'viem';
import type { HDAccount } from 'viem/accounts';
import type { Hex } from '../../src/domain/brand';
import type { SubmissionOutcome } from '../../src/domain/submission-outcome';
import { parseSubmitter, type Submitter } from '../../src/domain/submitter';
import { NonceComponent } from '../../src/module/nonce-component';
import { NonceModule } from '../../src/module/nonce.module';
import type { ChainClient } from '../../src/module/chain-options';
import type { NonceModuleOptions } from '../../src/module/options';
import { NonceTrackingModule } from '../../src/module/tracking/nonce-tracking.module';
import type { NonceContext } from '../../src/template/nonce-context';
import { viemChainClient } from '../module/viem-chain-client';
import { startTestChain, type TestChain } from '../support/test-chain';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { waitFor } from '../support/wait-for';

const RECIPIENT: Hex = `0x${'aa'.repeat(20)}`;
const ACCOUNTS = 40;

/** What happens to one send: its answer is lost, its bytes are, or a node refuses it. */
export type Fate = 'reply-lost' | 'not-reached' | SubmissionOutcome;

/** One broadcast as the wire saw it. */
export interface Broadcast {
  readonly txHash: Hex;
  /** An intent for exactly this hash had been committed before these bytes left. */
  readonly intentBefore: boolean;
}

/** One business operation. Its amount is its mark on the chain: no other operation pays as much. */
export interface Payment {
  readonly operationId: string;
  readonly wei: bigint;
}

export interface Signed {
  readonly rawTx: Hex;
  readonly txHash: Hex;
}

interface Row {
  readonly nonce: number;
  readonly stage: string;
  readonly source: string;
  readonly txHash: Hex | null;
  readonly hashes: readonly Hex[];
}

interface ChainTransaction {
  readonly from: Hex;
  readonly nonce: Hex;
  readonly value: Hex;
  readonly hash: Hex;
}

/**
 * A host that replays incidents: any number of its processes on one Postgres, and a development
 * chain whose answers a test spoils. What was paid is read from the blocks, never from the library.
 */
export class HostBench {
  readonly broadcasts: Broadcast[] = [];
  private readonly apps: INestApplicationContext[] = [];
  private readonly fates: Fate[] = [];
  private lastAccount = -1;
  private lastPayment = 0;

  private constructor(
    readonly database: TestDatabase,
    readonly chain: TestChain,
  ) {}

  /** The chain mines only when told to. */
  static async open(): Promise<HostBench> {
    const [database, chain] = await Promise.all([
      openTestDatabase(),
      startTestChain({ noMining: true, accounts: ACCOUNTS }),
    ]);
    return new HostBench(database, chain);
  }

  async close(): Promise<void> {
    await Promise.all(this.apps.map((app) => app.close()));
    await Promise.all([this.database.close(), this.chain.close()]);
  }

  options(overrides: Partial<NonceModuleOptions> = {}): NonceModuleOptions {
    const { url, schema } = this.database;
    return {
      database: { url, schema, poolSize: 4 },
      chains: {
        [this.chain.chainId]: { client: this.client(), confirmations: 1, pollIntervalMs: 100 },
      },
      defaultChainId: this.chain.chainId,
      template: { retry: { backoffMs: 1 } },
      logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      ...overrides,
    };
  }

  /** One more process of the host. */
  async node(overrides: Partial<NonceModuleOptions> = {}): Promise<NonceComponent> {
    const app = await this.open(NonceModule.forRoot(this.options(overrides)));
    return app.get(NonceComponent);
  }

  /** One more worker, as the deployable runs it. */
  async worker(): Promise<void> {
    @Module({
      imports: [
        NonceModule.forRoot(this.options()),
        NonceTrackingModule.forRoot({ reclaimIntervalMs: 100, reconcileIntervalMs: 400 }),
      ],
    })
    class WorkerModule {}
    await this.open(WorkerModule);
  }

  /** A funded account that no other test uses. */
  payer(): Payer {
    this.lastAccount += 1;
    return new Payer(this, this.chain.account(this.lastAccount));
  }

  payment(): Payment {
    this.lastPayment += 1;
    return { operationId: `payment-${this.lastPayment}`, wei: BigInt(this.lastPayment) };
  }

  /** What happens to the next sends, in order; after that all is well again. */
  spoil(...fates: readonly Fate[]): void {
    this.fates.push(...fates);
  }

  mine(blocks = 1): Promise<void> {
    return this.chain.mine(blocks);
  }

  /** exec(op): how many mined transactions carry this payment. */
  async executions({ wei }: Payment): Promise<number> {
    const transactions = await this.minedTransactions();
    return transactions.filter((tx) => BigInt(tx.value) === wei).length;
  }

  async minedNonces(payer: Payer): Promise<number[]> {
    const own = (await this.minedTransactions()).filter((tx) => tx.from === payer.address);
    return own.map((tx) => Number(tx.nonce));
  }

  /** A send as any client would do it, past the library; the spoiled fates hold for it too. */
  async send(rawTx: Hex): Promise<SubmissionOutcome> {
    const txHash = keccak256(rawTx);
    this.broadcasts.push({ txHash, intentBefore: await this.hasIntent(txHash) });
    const fate = this.fates.shift();
    if (fate !== undefined && fate !== 'reply-lost' && fate !== 'not-reached') return fate;
    if (fate === 'not-reached') return 'unknown';
    const sent = this.chain.server.rpc('eth_sendRawTransaction', [rawTx]);
    const outcome = await sent.then<SubmissionOutcome, SubmissionOutcome>(
      () => 'accepted',
      (error: unknown) => (/already/.test(String(error)) ? 'already-known' : 'unknown'),
    );
    return fate === 'reply-lost' ? 'unknown' : outcome;
  }

  private client(): ChainClient {
    const { reader, sender } = viemChainClient(this.chain.chainId, this.chain.rpcUrl);
    return {
      reader,
      sender: {
        chainId: sender.chainId,
        send: async (rawTx) => {
          const outcome = await this.send(rawTx);
          return { outcome, txHash: keccak256(rawTx), detail: null };
        },
      },
    };
  }

  private async hasIntent(txHash: Hex): Promise<boolean> {
    const { rowCount } = await this.database.pool.query(
      'SELECT 1 FROM submitter_nonce_allocation WHERE hashes @> ARRAY[$1]',
      [txHash],
    );
    return rowCount === 1;
  }

  private async minedTransactions(): Promise<readonly ChainTransaction[]> {
    const { server } = this.chain;
    const head = Number(await server.rpc('eth_blockNumber'));
    const blocks = Array.from({ length: head + 1 }, (_, number) =>
      server.rpc('eth_getBlockByNumber', [`0x${number.toString(16)}`, true]),
    );
    const found = (await Promise.all(blocks)) as { transactions: ChainTransaction[] }[];
    return found.flatMap((block) => block.transactions);
  }

  private async open(root: Parameters<typeof NestFactory.createApplicationContext>[0]) {
    const app = await NestFactory.createApplicationContext(root, {
      logger: false,
      abortOnError: false,
    });
    this.apps.push(app);
    return app;
  }
}

/** One account with its rows. */
export class Payer {
  readonly address: Hex;
  readonly submitter: Submitter;

  constructor(
    private readonly bench: HostBench,
    private readonly account: HDAccount,
  ) {
    this.address = account.address.toLowerCase() as Hex;
    this.submitter = parseSubmitter({
      chainId: bench.chain.chainId,
      address: this.address,
    });
  }

  async sign(nonce: number, { wei }: Payment, gwei = '20'): Promise<Signed> {
    const rawTx = await this.account.signTransaction({
      type: 'eip1559',
      chainId: this.bench.chain.chainId,
      nonce,
      to: RECIPIENT,
      value: wei,
      gas: 21_000n,
      maxFeePerGas: parseGwei(gwei),
      maxPriorityFeePerGas: parseGwei('1'),
    });
    return { rawTx, txHash: keccak256(rawTx) };
  }

  /** The usual handler: sign with the given nonce and send. */
  readonly pays =
    (payment: Payment) =>
    async (ctx: NonceContext): Promise<Hex> =>
      ctx.send((await this.sign(ctx.nonce, payment)).rawTx);

  async rows(): Promise<readonly Row[]> {
    const { rows } = await this.bench.database.pool.query<Row & { nonce: string }>(
      `SELECT nonce, stage, source, tx_hash AS "txHash", coalesce(hashes, '{}') AS hashes
       FROM submitter_nonce_allocation WHERE submitter = $1 ORDER BY nonce`,
      [this.submitter],
    );
    return rows.map((row) => ({ ...row, nonce: Number(row.nonce) }));
  }

  async stages(): Promise<readonly string[]> {
    return (await this.rows()).map((row) => row.stage);
  }

  /** Lets the deadlines and quarantines of all its nonces pass. */
  async expire(): Promise<void> {
    const { pool } = this.bench.database;
    await pool.query(
      `UPDATE submitter_nonce_allocation
       SET deadline = CASE WHEN stage = 'GRANTED' THEN now() - interval '1 s' END,
           due_at = CASE WHEN due_at IS NOT NULL THEN now() - interval '1 s' END,
           release_at = CASE WHEN release_at IS NOT NULL THEN now() - interval '1 s' END
       WHERE submitter = $1`,
      [this.submitter],
    );
    await pool.query(
      `UPDATE submitter_nonce_state SET reclaim_at = now() - interval '1 s' WHERE submitter = $1`,
      [this.submitter],
    );
  }

  async reaches(nonce: number, ...wanted: readonly string[]): Promise<void> {
    const describe = `nonce ${nonce} of ${this.submitter} to be ${wanted.join(' or ')}`;
    const isThere = async () => {
      const row = (await this.rows()).find((candidate) => candidate.nonce === nonce);
      return wanted.includes(row?.stage ?? '');
    };
    await waitFor(isThere, { describe });
  }
}

/** The error a call rejects with; a call that resolves fails the test. */
export async function rejection(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (value) => {
      throw new Error(`resolved with ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}

function quiet(): void {
  return undefined;
}
