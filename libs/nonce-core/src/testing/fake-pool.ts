import type { Hex } from '../domain/brand';
import type { SubmissionOutcome } from '../domain/submission-outcome';
import type { FakeTransaction } from './fake-transaction';

export interface PooledTransaction extends FakeTransaction {
  readonly txHash: Hex;
}

/** Fee a replacement must offer, in percent of the one it replaces; whole, so that it is exact. */
const MIN_BUMP_PERCENT = 110;

/** The transaction pool of the fake chain: one transaction per account and nonce. */
export class FakePool {
  private readonly byHash = new Map<Hex, PooledTransaction>();

  constructor(private readonly limitPerAccount: number) {}

  /** `count` is the account's transaction count at the head. */
  offer(tx: PooledTransaction, count: number): SubmissionOutcome {
    if (this.byHash.has(tx.txHash)) return 'already-known';
    if (tx.nonce < count) return 'nonce-too-low';
    const own = this.of(tx.from);
    const rival = own.find((other) => other.nonce === tx.nonce);
    if (rival === undefined && own.length >= this.limitPerAccount) return 'in-flight-limit';
    if (rival !== undefined && tx.feePerGas * 100 < rival.feePerGas * MIN_BUMP_PERCENT) {
      return 'replacement-underpriced';
    }
    this.put(tx);
    return 'accepted';
  }

  put(tx: PooledTransaction): void {
    for (const other of this.of(tx.from)) {
      if (other.nonce === tx.nonce) this.byHash.delete(other.txHash);
    }
    this.byHash.set(tx.txHash, tx);
  }

  drop(txHash: Hex): void {
    this.byHash.delete(txHash);
  }

  has(txHash: Hex): boolean {
    return this.byHash.has(txHash);
  }

  /** How many pooled transactions could run one after another from `count` on. */
  executableAfter(address: Hex, count: number): number {
    const nonces = new Set(this.of(address).map((tx) => tx.nonce));
    let next = count;
    while (nonces.has(next)) next += 1;
    return next - count;
  }

  /** Removes and returns what the next block may hold, each account's in nonce order. */
  takeExecutable(countOf: (from: Hex) => number): PooledTransaction[] {
    const senders = new Set([...this.byHash.values()].map((tx) => tx.from));
    const taken: PooledTransaction[] = [];
    for (const from of senders) {
      let next = countOf(from);
      for (const tx of this.of(from)) {
        if (tx.nonce < next) this.byHash.delete(tx.txHash);
        if (tx.nonce !== next) continue;
        taken.push(tx);
        this.byHash.delete(tx.txHash);
        next += 1;
      }
    }
    return taken;
  }

  private of(address: Hex): PooledTransaction[] {
    const from = address.toLowerCase();
    return [...this.byHash.values()]
      .filter((tx) => tx.from === from)
      .sort((a, b) => a.nonce - b.nonce);
  }
}
