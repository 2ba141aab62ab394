import type { Hex } from '@noncekit/nonce-core/domain';
import type { ScriptedTransaction } from './scripted-transaction';

/** Why a node does not take a transaction; how it says so is the client's dialect. */
export type Refusal =
  | 'not-a-transaction'
  | 'other-chain'
  | 'already-known'
  | 'nonce-too-low'
  | 'nonce-too-high'
  | 'intrinsic-gas'
  | 'block-gas-limit'
  | 'insufficient-funds'
  | 'underpriced'
  | 'replacement-underpriced'
  | 'in-flight-limit';

export interface PoolRules {
  /** Nonces of one account from its count on that the pool takes: 64, 16, or 1 when delegated. */
  readonly depth: number;
  /** A nonce whose predecessor is neither mined nor pooled is refused, not queued. */
  readonly refusesGaps: boolean;
}

/** What the account and the next block look like where the transaction arrives. */
export interface Arrival {
  readonly count: number;
  readonly balance: bigint;
  readonly baseFee: bigint;
  readonly blockGasLimit: bigint;
}

const TRANSFER_GAS = 21_000n;
/** Percent that a replacement must offer in both fee fields, as in geth. */
const REPLACEMENT_PERCENT = 110n;

/** Transactions that wait for a block, by account and nonce. */
export class ScriptedPool {
  private readonly accounts = new Map<Hex, Map<number, ScriptedTransaction>>();

  constructor(public rules: PoolRules) {}

  /** null when it was taken; it may have replaced another one then. */
  offer(tx: ScriptedTransaction, arrival: Arrival): Refusal | null {
    const refusal = this.refusalOf(tx, arrival);
    if (refusal === null) this.put(tx);
    return refusal;
  }

  /** Without any check, as blocks that are undone give their transactions back. */
  put(tx: ScriptedTransaction): void {
    const account = this.accounts.get(tx.from) ?? new Map<number, ScriptedTransaction>();
    this.accounts.set(tx.from, account.set(tx.nonce, tx));
  }

  at(from: Hex, nonce: number): ScriptedTransaction | undefined {
    return this.accounts.get(from)?.get(nonce);
  }

  find(hash: Hex): ScriptedTransaction | undefined {
    return this.all.find((tx) => tx.hash === hash);
  }

  get all(): readonly ScriptedTransaction[] {
    return [...this.accounts.values()].flatMap((account) => [...account.values()]);
  }

  remove({ from, nonce }: Pick<ScriptedTransaction, 'from' | 'nonce'>): void {
    this.accounts.get(from)?.delete(nonce);
  }

  clear(): void {
    this.accounts.clear();
  }

  /** The first nonce from `count` on that waits for nobody here. */
  pendingCount(from: Hex, count: number): number {
    let next = count;
    while (this.at(from, next) !== undefined) next += 1;
    return next;
  }

  private refusalOf(tx: ScriptedTransaction, arrival: Arrival): Refusal | null {
    const { count, balance } = arrival;
    if (this.find(tx.hash) !== undefined) return 'already-known';
    if (tx.gas < TRANSFER_GAS) return 'intrinsic-gas';
    if (tx.gas > arrival.blockGasLimit) return 'block-gas-limit';
    if (tx.nonce < count) return 'nonce-too-low';
    if (tx.maxFeePerGas < arrival.baseFee) return 'underpriced';
    if (balance < tx.value + tx.gas * tx.maxFeePerGas) return 'insufficient-funds';
    const before = this.at(tx.from, tx.nonce);
    if (before !== undefined) return outbids(tx, before) ? null : 'replacement-underpriced';
    const { depth, refusesGaps } = this.rules;
    if (depth === 1 && tx.nonce > count) return 'in-flight-limit';
    if (tx.nonce >= count + depth) return 'nonce-too-high';
    if (refusesGaps && tx.nonce > this.pendingCount(tx.from, count)) return 'nonce-too-high';
    return null;
  }
}

function outbids(tx: ScriptedTransaction, before: ScriptedTransaction): boolean {
  const enough = (offered: bigint, held: bigint): boolean =>
    offered * 100n >= held * REPLACEMENT_PERCENT;
  return (
    enough(tx.maxFeePerGas, before.maxFeePerGas) &&
    enough(tx.maxPriorityFeePerGas, before.maxPriorityFeePerGas)
  );
}
