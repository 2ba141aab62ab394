import type { ChainId } from '../domain/submitter';
import type { BlockRef, ChainRegistry } from '../ports/chain.port';
import type { FollowHeads, HeadStep } from './follow-heads';

/**
 * `block`: one more block has its confirmations, in the order of the chain. `cleared`: blocks from this
 * height on were told and are replaced; what follows begins there again.
 */
export type StableBlockEvent =
  | { readonly kind: 'block'; readonly block: BlockRef }
  | { readonly kind: 'cleared'; readonly fromNumber: number };

type Subscriber = (event: StableBlockEvent) => void;

interface Waiting {
  /** Followed and not yet told, ascending. */
  pending: readonly BlockRef[];
  /** Highest block that was told; null before the first one. */
  told: number | null;
}

/**
 * Only what is confirmed, in chain order, to whom it interests. A subscriber hears of blocks that are
 * followed from then on; it is called in turn and must not throw.
 */
export class StableBlocks {
  private readonly waiting = new Map<ChainId, Waiting>();
  private readonly subscribers = new Map<ChainId, Set<Subscriber>>();

  constructor(
    heads: Pick<FollowHeads, 'onStep'>,
    private readonly chains: ChainRegistry,
  ) {
    heads.onStep((step) => this.take(step));
  }

  /** @returns what ends it. */
  subscribe(chainId: ChainId, subscriber: Subscriber): () => void {
    const all = this.subscribers.get(chainId) ?? new Set();
    this.subscribers.set(chainId, all.add(subscriber));
    return () => all.delete(subscriber);
  }

  private take({ chainId, fork, blocks }: HeadStep): void {
    const confirmations = this.chains.find(chainId)?.profile.confirmations ?? 0;
    const state: Waiting = this.waiting.get(chainId) ?? { pending: [], told: null };
    if (state.told !== null && state.told > fork) {
      this.tell(chainId, { kind: 'cleared', fromNumber: fork + 1 });
      state.told = fork;
    }
    state.pending = [...state.pending.filter(({ number }) => number <= fork), ...blocks];
    const head = blocks.at(-1)?.number ?? fork;
    const stable = state.pending.filter(({ number }) => number + confirmations <= head);
    state.pending = state.pending.slice(stable.length);
    for (const block of stable) {
      state.told = block.number;
      this.tell(chainId, { kind: 'block', block });
    }
    this.waiting.set(chainId, state);
  }

  private tell(chainId: ChainId, event: StableBlockEvent): void {
    for (const subscriber of this.subscribers.get(chainId) ?? []) subscriber(event);
  }
}
