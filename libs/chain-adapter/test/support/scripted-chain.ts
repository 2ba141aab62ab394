import type { Hex } from '@noncekit/nonce-core/domain';
import { keccak256, toHex } from 'viem';
import { ScriptedPool, type PoolRules, type Refusal } from './scripted-pool';
import { lower, readTransaction, type ScriptedTransaction } from './scripted-transaction';

const TRANSFER_GAS = 21_000n;
const GWEI = 10n ** 9n;
const NO_PARENT: Hex = `0x${'0'.repeat(64)}`;

interface Account {
  readonly count: number;
  readonly balance: bigint;
  /** What it delegates to under EIP-7702. */
  readonly delegate?: Hex;
}

export interface ScriptedBlock {
  readonly number: number;
  readonly hash: Hex;
  readonly parentHash: Hex;
  readonly baseFee: bigint;
  readonly transactions: readonly ScriptedTransaction[];
  /** As they are after this block. */
  readonly accounts: ReadonlyMap<Hex, Account>;
}

export interface ScriptedChainOptions extends Partial<PoolRules> {
  readonly chainId: number;
  /** Blocks behind the highest head ever at which the finalized tag stands. */
  readonly finalityDepth?: number;
  readonly balances?: ReadonlyMap<Hex, bigint>;
}

/**
 * One chain in memory that executes transfers, charges for them and can be undone: the truth that
 * scripted providers tell or bend. Fees are burnt; nobody earns them.
 */
export class ScriptedChain {
  readonly chainId: number;
  readonly pool: ScriptedPool;
  /** Everything that ever arrived anywhere, taken or not. */
  readonly seen: ScriptedTransaction[] = [];
  baseFee = GWEI;
  readonly blockGasLimit = 30_000_000n;
  private readonly finalityDepth: number;
  /** Recovering a signer takes milliseconds, and the same bytes arrive again and again. */
  private readonly read = new Map<Hex, ScriptedTransaction>();
  private readonly gifts = new Map<Hex, bigint>();
  private blocks: ScriptedBlock[];
  private forks = 0;
  private finalNumber = 0;

  constructor(options: ScriptedChainOptions) {
    this.chainId = options.chainId;
    this.finalityDepth = options.finalityDepth ?? 64;
    const { depth = Number.MAX_SAFE_INTEGER, refusesGaps = false } = options;
    this.pool = new ScriptedPool({ depth, refusesGaps });
    const accounts = [...(options.balances ?? [])].map(([address, balance]): [Hex, Account] => [
      lower(address),
      { count: 0, balance },
    ]);
    this.blocks = [
      {
        number: 0,
        hash: keccak256(toHex(`genesis of ${options.chainId}`)),
        parentHash: NO_PARENT,
        baseFee: this.baseFee,
        transactions: [],
        accounts: new Map(accounts),
      },
    ];
  }

  get head(): ScriptedBlock {
    return this.blocks.at(-1) as ScriptedBlock;
  }

  get finalized(): number {
    return this.finalNumber;
  }

  blockAt(number: number): ScriptedBlock | undefined {
    return this.blocks[number];
  }

  /** All that the present chain executed, oldest first. */
  get executed(): readonly ScriptedTransaction[] {
    return this.blocks.flatMap((block) => block.transactions);
  }

  inclusionOf(hash: Hex): ScriptedBlock | undefined {
    return this.blocks.find((block) => block.transactions.some((tx) => tx.hash === hash));
  }

  accountAt(address: Hex, block = this.head): Account {
    return block.accounts.get(lower(address)) ?? { count: 0, balance: 0n };
  }

  // ---- what a test does to the chain ----

  async submit(rawTx: Hex): Promise<Refusal | ScriptedTransaction> {
    const tx = this.read.get(rawTx) ?? (await readTransaction(rawTx));
    if (tx === null) return 'not-a-transaction';
    this.read.set(rawTx, tx);
    this.seen.push(tx);
    if (tx.chainId !== this.chainId) return 'other-chain';
    const account = this.accountAt(tx.from);
    const { baseFee, blockGasLimit } = this;
    return this.pool.offer(tx, { ...account, baseFee, blockGasLimit }) ?? tx;
  }

  /** Every block takes all that is executable by then. */
  mine(blocks = 1): void {
    for (let i = 0; i < blocks; i += 1) this.append();
  }

  /** Forgets pooled transactions, as pools do under pressure; all of them unless one is named. */
  drop(hash?: Hex): void {
    for (const tx of this.pool.all)
      if (hash === undefined || tx.hash === hash) this.pool.remove(tx);
  }

  /** Arrives with the next block, as a transfer from elsewhere does. */
  topUp(address: Hex, wei: bigint): void {
    this.gifts.set(lower(address), (this.gifts.get(lower(address)) ?? 0n) + wei);
  }

  /**
   * Another branch, one block longer, takes the place of the last blocks. Their transactions go back
   * to the pool, where a younger one at the same nonce outlives them, or are forgotten.
   */
  reorg(depth: number, { reinject }: { readonly reinject: boolean }): void {
    const from = this.blocks.length - depth;
    if (from <= this.finalNumber) throw new Error(`${depth} blocks reach into what is final`);
    const undone = this.blocks.slice(from);
    this.blocks = this.blocks.slice(0, from);
    this.forks += 1;
    for (const tx of reinject ? undone.flatMap((block) => block.transactions) : []) {
      if (this.pool.at(tx.from, tx.nonce) === undefined) this.pool.put(tx);
    }
    // The other branch was built by somebody who had not heard of them.
    const waiting = this.pool.all;
    this.pool.clear();
    this.mine(depth + 1);
    for (const tx of waiting) this.pool.put(tx);
  }

  private append(): void {
    const accounts = new Map(this.head.accounts);
    for (const [address, wei] of this.gifts) {
      const before = accounts.get(address) ?? { count: 0, balance: 0n };
      accounts.set(address, { ...before, balance: before.balance + wei });
    }
    this.gifts.clear();
    const transactions: ScriptedTransaction[] = [];
    for (let tx = this.nextIn(accounts); tx !== undefined; tx = this.nextIn(accounts)) {
      this.execute(tx, accounts);
      transactions.push(tx);
    }
    const number = this.head.number + 1;
    const { baseFee, head } = this;
    const mark = transactions.map((tx) => tx.hash).join();
    const hash = keccak256(toHex(`${head.hash} ${this.forks} ${mark}`));
    const parentHash = head.hash;
    this.blocks.push({ number, hash, parentHash, baseFee, transactions, accounts });
    this.finalNumber = Math.max(this.finalNumber, number - this.finalityDepth);
    // What the block made impossible leaves the pool.
    for (const tx of this.pool.all) {
      if (tx.nonce < this.accountAt(tx.from).count) this.pool.remove(tx);
    }
  }

  private nextIn(accounts: ReadonlyMap<Hex, Account>): ScriptedTransaction | undefined {
    return this.pool.all.find((tx) => {
      const account = accounts.get(tx.from) ?? { count: 0, balance: 0n };
      const cost = tx.value + TRANSFER_GAS * this.priceOf(tx);
      const payable = tx.maxFeePerGas >= this.baseFee && account.balance >= cost;
      return tx.nonce === account.count && payable;
    });
  }

  private execute(tx: ScriptedTransaction, accounts: Map<Hex, Account>): void {
    this.pool.remove(tx);
    const change = (address: Hex, by: Partial<Account>): void => {
      const { count, balance, ...rest } = accounts.get(address) ?? { count: 0, balance: 0n };
      accounts.set(address, {
        ...rest,
        ...by,
        count: count + (by.count ?? 0),
        balance: balance + (by.balance ?? 0n),
      });
    };
    change(tx.from, { count: 1, balance: -(tx.value + TRANSFER_GAS * this.priceOf(tx)) });
    if (tx.to !== null) change(tx.to, { balance: tx.value });
    for (const { address, nonce, delegate } of tx.authorisations) {
      if ((accounts.get(address)?.count ?? 0) === nonce) change(address, { count: 1, delegate });
    }
  }

  private priceOf(tx: ScriptedTransaction): bigint {
    const withTip = this.baseFee + tx.maxPriorityFeePerGas;
    return withTip < tx.maxFeePerGas ? withTip : tx.maxFeePerGas;
  }
}
