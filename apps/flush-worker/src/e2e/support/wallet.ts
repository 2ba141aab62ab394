import type { Allocation, Hex, HolderCommand } from '@noncekit/nonce-core';
import { parseSubmitter, type Submitter } from '@noncekit/nonce-core';
import {
  baselineOf,
  batchOf,
  QUARANTINE,
  rowOf,
  tokens,
  type StoreFixture,
} from '@noncekit/test-support/store-fixture';
import type { TestChain } from '@noncekit/test-support/test-chain';
import { waitFor } from '@noncekit/test-support/wait-for';
import { keccak256, parseGwei } from 'viem';
import type { HDAccount } from 'viem/accounts';

const RECEIVER = `0x${'42'.repeat(20)}` as const;

export interface Signed {
  readonly rawTx: Hex;
  readonly txHash: Hex;
}

/** One funded account of the chain whose holders die where the test wants them to. */
export class Wallet {
  readonly submitter: Submitter;

  constructor(
    private readonly store: StoreFixture,
    private readonly chain: TestChain,
    private readonly account: HDAccount,
  ) {
    const { address } = account;
    this.submitter = parseSubmitter({ chainId: chain.chainId, address });
  }

  static async open(store: StoreFixture, chain: TestChain, index: number): Promise<Wallet> {
    const wallet = new Wallet(store, chain, chain.account(index));
    await store.store.open(baselineOf(wallet.submitter, { chainLatestCount: 0 }));
    return wallet;
  }

  async grant(count = 1, ttlMs = 100): Promise<readonly Allocation[]> {
    const row = rowOf(this.submitter, { ids: tokens(count), ttlMs });
    const [answer] = await this.store.store.allocate(batchOf([row]));
    if (answer?.kind !== 'granted') throw new Error(JSON.stringify(answer));
    return answer.allocations;
  }

  async sign(nonce: number, wei = 1n): Promise<Signed> {
    const rawTx = await this.account.signTransaction({
      type: 'eip1559',
      chainId: this.chain.chainId,
      nonce,
      to: RECEIVER,
      value: wei,
      gas: 21_000n,
      maxFeePerGas: parseGwei('20'),
      maxPriorityFeePerGas: parseGwei('2'),
    });
    return { rawTx, txHash: keccak256(rawTx) };
  }

  async tell(
    { id }: Allocation,
    command: HolderCommand,
    tx: { readonly txHash: Hex; readonly rawTx?: Hex },
  ): Promise<void> {
    const { txHash, rawTx } = tx;
    const silence = { submitter: null, nonce: null, note: null, ttlMs: 0, followable: true };
    const row = { ...silence, command, id, txHash, rawTx: rawTx ?? null };
    const [answer] = await this.store.store.command([row], QUARANTINE);
    if (answer?.kind !== 'done') throw new Error(JSON.stringify(answer));
  }

  /** An intent whose holder is never heard of again. */
  async abandonedIntent(keepBytes = true): Promise<Signed & { readonly nonce: number }> {
    const [allocation] = await this.grant();
    if (allocation === undefined) throw new Error('nothing granted');
    const { rawTx, txHash } = await this.sign(allocation.nonce);
    await this.tell(allocation, 'intent', keepBytes ? { rawTx, txHash } : { txHash });
    return { rawTx, txHash, nonce: allocation.nonce };
  }

  async send(rawTx: Hex): Promise<void> {
    await this.chain.server.rpc('eth_sendRawTransaction', [rawTx]);
  }

  async row(
    nonce: number,
  ): Promise<{ stage: string; tx_hash: string | null; proof: string | null }> {
    const { rows } = await this.store.database.pool.query<{
      stage: string;
      tx_hash: string | null;
      proof: string | null;
    }>(
      `SELECT stage, tx_hash, proof FROM submitter_nonce_allocation
       WHERE submitter = $1 AND nonce = $2`,
      [this.submitter, nonce],
    );
    if (rows[0] === undefined) throw new Error(`no row of nonce ${String(nonce)}`);
    return rows[0];
  }

  async reaches(nonce: number, stages: readonly string[]): Promise<void> {
    const wanted = stages.join(' or ');
    let last = '';
    await waitFor(
      async () => {
        last = (await this.row(nonce)).stage;
        return stages.includes(last);
      },
      { describe: `nonce ${String(nonce)} of ${this.submitter} to be ${wanted}` },
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; it is ${last}`);
    });
  }

  /** Bytes that a pool holds now, by hash; undefined when no pool knows it. */
  async pooled(txHash: Hex): Promise<boolean> {
    return (await this.chain.server.rpc('eth_getTransactionByHash', [txHash])) !== null;
  }
}
