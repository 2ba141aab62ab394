import type { Hex } from '../domain/brand';
import type { SubmissionOutcome } from '../domain/submission-outcome';
import { NonceError } from '../domain/errors/nonce-error';
import { toChainId, type ChainId } from '../domain/submitter';
import type {
  BlockContents,
  BlockRef,
  BlockTag,
  ChainReader,
  ChainSender,
  ReceiptLookup,
  SubmissionReport,
  TransactionLookup,
} from '../ports/chain.port';
import { FakePool, type PooledTransaction } from './fake-pool';
import {
  decodeFake,
  fakeHash,
  signFake,
  type FakeTransaction,
  type SignedFakeTransaction,
} from './fake-transaction';

interface FakeBlock {
  readonly ref: BlockRef;
  readonly transactions: readonly PooledTransaction[];
}

export interface FakeChainOptions {
  readonly chainId?: number;
  /** Blocks behind the head at which the finalized tag stands. */
  readonly finalityDepth?: number;
  /** Transactions of one account the pool takes at once; 1 for delegated accounts. */
  readonly poolLimit?: number;
}

/**
 * One EVM chain in memory with the ways a real one hurts: transactions that vanish, blocks that are
 * undone, readers that lag, replies that get lost. Replacements need 10 % more fee, as in geth.
 */
export class FakeChain implements ChainReader, ChainSender {
  readonly chainId: ChainId;
  private readonly finalityDepth: number;
  private readonly pool: FakePool;
  private readonly startCounts = new Map<string, number>();
  private blocks: FakeBlock[];
  private readonly delegated = new Set<string>();
  private forks = 0;
  private lagBlocks = 0;
  private away = false;
  private nextSend: 'normal' | 'reply-lost' | 'not-reached' = 'normal';

  constructor(options: FakeChainOptions = {}) {
    this.chainId = toChainId(options.chainId ?? 31_337);
    this.finalityDepth = options.finalityDepth ?? 2;
    this.pool = new FakePool(options.poolLimit ?? Number.POSITIVE_INFINITY);
    const hash = fakeHash(`genesis of ${this.chainId}`);
    this.blocks = [{ ref: { number: 0, hash, parentHash: fakeHash('none') }, transactions: [] }];
  }

  // ---- what a test does to the chain ----

  sign(tx: FakeTransaction): SignedFakeTransaction {
    return signFake(this.chainId, tx);
  }

  /** Transactions the account had before the first block. */
  startAt(address: Hex, count: number): void {
    this.startCounts.set(address.toLowerCase(), count);
  }

  /** Mines everything executable, and then empty blocks. */
  mine(blocks = 1): void {
    for (let i = 0; i < blocks; i += 1) {
      const transactions = this.pool.takeExecutable((from) => this.countAt(from, this.head));
      this.append(transactions);
    }
  }

  /** Blocks of others: nothing of the pool is executed. */
  mineEmpty(blocks = 1): void {
    for (let i = 0; i < blocks; i += 1) this.append([]);
  }

  /** Forgets a pooled transaction, as pools do under pressure. */
  drop(txHash: Hex): void {
    this.pool.drop(txHash);
  }

  /** Undoes the last blocks; their transactions return to the pool unless told otherwise. */
  reorg(depth: number, options: { readonly reinject: boolean } = { reinject: true }): void {
    const undone = this.blocks.splice(Math.max(1, this.blocks.length - depth));
    this.forks += 1;
    if (!options.reinject) return;
    for (const block of undone) for (const tx of block.transactions) this.pool.put(tx);
  }

  /** Starts the chain anew: another genesis, no transactions, an empty pool. */
  restart(): void {
    for (const block of this.blocks) for (const tx of block.transactions) this.pool.drop(tx.txHash);
    this.forks += 1;
    const hash = fakeHash(`genesis ${this.forks} of ${this.chainId}`);
    this.blocks = [{ ref: { number: 0, hash, parentHash: fakeHash('none') }, transactions: [] }];
    this.startCounts.clear();
  }

  /** The account delegates to code from now on, or no longer (EIP-7702). */
  delegate(address: Hex, on = true): void {
    if (on) this.delegated.add(address.toLowerCase());
    else this.delegated.delete(address.toLowerCase());
  }

  /** Mines an authorisation of the account: a nonce is consumed without a transaction of it. */
  authorise(address: Hex): void {
    const from = address.toLowerCase() as Hex;
    const nonce = this.countAt(from, this.head);
    const signed = this.sign({ from, nonce, payload: 'authorisation', feePerGas: 0 });
    this.append([
      { ...decodeFake(signed.rawTx), txHash: fakeHash(`authorisation ${from} ${nonce}`) },
    ]);
  }

  /** From now on readers see the chain this many blocks ago. */
  lag(blocks: number): void {
    this.lagBlocks = blocks;
  }

  /** No provider answers until told otherwise. */
  setAway(away: boolean): void {
    this.away = away;
  }

  /** The next send times out; its bytes arrived or not. */
  failNextSend(how: 'reply-lost' | 'not-reached'): void {
    this.nextSend = how;
  }

  /** How often this payload was executed: more than once is a double payment. */
  executions(payload: string): number {
    return this.blocks.flatMap((b) => b.transactions).filter((tx) => tx.payload === payload).length;
  }

  // ---- ChainReader ----

  async genesisHash(): Promise<Hex> {
    this.refuseWhenAway();
    return (this.blocks[0] as FakeBlock).ref.hash;
  }

  async transactionCount(address: Hex, tag: BlockTag): Promise<number> {
    this.refuseWhenAway();
    const latest = this.countAt(address, this.visibleHead);
    if (tag === 'pending') return latest + this.pool.executableAfter(address, latest);
    if (tag === 'latest') return latest;
    return this.countAt(address, Math.max(0, this.visibleHead - this.finalityDepth));
  }

  async isDelegated(address: Hex): Promise<boolean | null> {
    this.refuseWhenAway();
    return this.delegated.has(address.toLowerCase());
  }

  async block(at: BlockTag | number): Promise<BlockRef | null> {
    this.refuseWhenAway();
    const head = this.visibleHead;
    if (typeof at === 'number') return at > head ? null : (this.blocks[at]?.ref ?? null);
    const number = at === 'latest' || at === 'pending' ? head : head - this.finalityDepth;
    return this.blocks[number]?.ref ?? null;
  }

  async blockContents(number: number): Promise<BlockContents | null> {
    const ref = await this.block(number);
    const transactions = this.blocks[number]?.transactions.map(({ txHash }) => txHash) ?? [];
    return ref === null ? null : { ...ref, transactions };
  }

  async receipts(hashes: readonly Hex[]): Promise<ReadonlyMap<Hex, ReceiptLookup>> {
    return new Map(hashes.map((hash) => [hash, this.receipt(hash)]));
  }

  async transaction(hash: Hex): Promise<TransactionLookup> {
    if (this.away) return 'unavailable';
    if (this.receipt(hash).kind === 'found') return 'mined';
    return this.pool.has(hash) ? 'pooled' : 'absent';
  }

  // ---- ChainSender ----

  async send(rawTx: Hex): Promise<SubmissionReport> {
    const txHash = fakeHash(rawTx);
    const fate = this.nextSend;
    this.nextSend = 'normal';
    const lost = { outcome: 'unknown' as const, txHash, detail: 'the request timed out' };
    if (this.away || fate === 'not-reached') return lost;
    const outcome = this.submit(rawTx, txHash);
    if (fate === 'reply-lost') return lost;
    return { outcome, txHash, detail: outcome === 'accepted' ? null : outcome };
  }

  private submit(rawTx: Hex, txHash: Hex): SubmissionOutcome {
    const tx = decodeFake(rawTx);
    if (tx.chainId !== this.chainId) return 'never-executable';
    return this.pool.offer({ ...tx, txHash }, this.countAt(tx.from, this.head));
  }

  private receipt(hash: Hex): ReceiptLookup {
    if (this.away) return { kind: 'unavailable', cause: 'no provider answers', trouble: 'broken' };
    const block = this.blocks
      .slice(0, this.visibleHead + 1)
      .find(({ transactions }) => transactions.some((tx) => tx.txHash === hash));
    if (block === undefined) return { kind: 'absent' };
    const { number, hash: blockHash } = block.ref;
    return { kind: 'found', blockNumber: number, blockHash, succeeded: true };
  }

  private countAt(address: Hex, height: number): number {
    const from = address.toLowerCase();
    let count = this.startCounts.get(from) ?? 0;
    for (let i = 1; i <= height; i += 1) {
      for (const tx of this.blocks[i]?.transactions ?? []) if (tx.from === from) count += 1;
    }
    return count;
  }

  private append(transactions: readonly PooledTransaction[]): void {
    const parent = (this.blocks[this.head] as FakeBlock).ref;
    const number = parent.number + 1;
    const hash = fakeHash(`${parent.hash} ${number} ${this.forks}`);
    this.blocks.push({ ref: { number, hash, parentHash: parent.hash }, transactions });
  }

  private get head(): number {
    return this.blocks.length - 1;
  }

  private get visibleHead(): number {
    return Math.max(0, this.head - this.lagBlocks);
  }

  private refuseWhenAway(): void {
    if (this.away) throw new NonceError('NONCE_CHAIN_UNREACHABLE');
  }
}
