import { isNonceError } from '../domain/errors/nonce-error';
import { finalHeight } from '../domain/finality';
import type { ChainId } from '../domain/submitter';
import type { BlockContents, BlockRef, ChainRegistry, ConfiguredChain } from '../ports/chain.port';
import type { HeadStore } from '../ports/head-store.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import { findFork } from './find-fork';
import { HeadChain, HEADERS_KEPT, linksUp } from './head-chain';

export interface FollowHeadsDeps {
  readonly store: HeadStore;
  readonly chains: ChainRegistry;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Blocks `fork + 1` to the last of `blocks` replaced whatever was above `fork`. */
export interface HeadStep {
  readonly chainId: ChainId;
  readonly fork: number;
  /** Blocks that are no part of the chain any more. */
  readonly replaced: number;
  readonly blocks: readonly BlockRef[];
}

type Listener = (step: HeadStep) => void;

/** Missed blocks that are fetched together: as many as one batch of requests takes. */
const FETCHED_TOGETHER = 32;

/**
 * Follows the head of each chain by polling. Missed blocks are fetched, each block has to be the child
 * of the one before, and blocks count as replaced only when another one is seen at their height: a
 * provider that lags, or a head that is lower, changes nothing. Any number of workers may follow the
 * same chain: each step is made by one of them, and the others go on from there.
 */
export class FollowHeads {
  private readonly known = new Map<ChainId, HeadChain>();
  private readonly listeners = new Set<Listener>();

  constructor(private readonly deps: FollowHeadsDeps) {}

  /** Called after each step that this process has seen, in order. @returns what ends it. */
  onStep(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The followed head; undefined before the first look. */
  headOf(chainId: ChainId): BlockRef | undefined {
    return this.known.get(chainId)?.head;
  }

  /** @returns whether some head moved. A chain that does not answer is looked at again next time. */
  async tick(signal?: AbortSignal): Promise<boolean> {
    const moves = await Promise.all(
      this.deps.chains.all.map((chain) => this.followToItsHead(chain, signal)),
    );
    return moves.includes(true);
  }

  private async followToItsHead(chain: ConfiguredChain, signal?: AbortSignal): Promise<boolean> {
    let moved = false;
    try {
      while (signal?.aborted !== true && (await this.step(chain))) moved = true;
    } catch (error) {
      // Looks at single rows say so in the log; the rows' slow pace goes on without heads.
      if (!isNonceError(error, 'NONCE_CHAIN_UNREACHABLE')) throw error;
    }
    return moved;
  }

  /** @returns whether there may be more to follow at once. */
  private async step(chain: ConfiguredChain): Promise<boolean> {
    const { chainId } = chain.profile;
    const latest = await chain.reader.block('latest');
    if (latest === null) return false;
    const known = this.known.get(chainId) ?? HeadChain.of(await this.deps.store.load(chainId));
    if (known === null) return this.begin(chain, latest, null);
    this.known.set(chainId, known);
    if (latest.hash === known.head.hash) return false;
    if (known.hashAt(latest.number) === latest.hash) return false; // a provider that lags
    if (latest.number - known.head.number >= HEADERS_KEPT) return this.begin(chain, latest, known);
    return this.follow(chain, known, latest);
  }

  private async follow(
    chain: ConfiguredChain,
    known: HeadChain,
    latest: BlockRef,
  ): Promise<boolean> {
    const next = known.head.number + 1;
    const straight = latest.number < next ? [] : await fetchBlocks(chain, next, latest.number);
    if (straight.length > 0 && linksUp(known.head.hash, straight)) {
      return this.advance(chain, known, { fork: known.head.number, blocks: straight });
    }
    const { reorgDepth } = chain.profile;
    const fork = await findFork(chain.reader, { known, latest, reorgDepth });
    // No other block was seen, or the chain moved while it was looked at: the next look knows more.
    if (fork === 'unproven') return false;
    if (fork === 'forgotten') return this.begin(chain, latest, known);
    if (fork === 'too-deep') return this.replacedDeeply(chain, known, latest);
    const blocks = await fetchBlocks(chain, fork + 1, latest.number);
    const parentHash = known.hashAt(fork);
    if (blocks.length === 0 || parentHash === undefined || !linksUp(parentHash, blocks)) {
      return false;
    }
    this.tellReorg(chain, known.head.number - fork);
    return this.advance(chain, known, { fork, blocks });
  }

  private async advance(
    { profile, reader }: ConfiguredChain,
    known: HeadChain,
    { fork, blocks }: { readonly fork: number; readonly blocks: readonly BlockContents[] },
  ): Promise<boolean> {
    const { chainId, confirmations, reorgDepth, finalityTag } = profile;
    const head = blocks.at(-1) as BlockContents;
    const tagged = finalityTag === 'none' ? null : await reader.block(finalityTag);
    const advanced = await this.deps.store.advance({
      chainId,
      expected: known.head.hash,
      fork,
      headers: blocks,
      transactions: blocks.flatMap(({ transactions }) => transactions),
      confirmedNumber: head.number - confirmations,
      finalNumber: finalHeight({
        headNumber: head.number,
        taggedNumber: tagged?.number ?? null,
        reorgDepth,
      }),
    });
    if (!advanced) return this.goOnFrom(chainId, known);
    this.known.set(chainId, known.extended(fork, blocks));
    this.deps.metrics.set('nonce_chain_head', { chain: String(chainId) }, head.number);
    this.tell({ chainId, fork, replaced: known.head.number - fork, blocks });
    return true;
  }

  /** Another worker made the step, perhaps several: they are told here too, as one. */
  private async goOnFrom(chainId: ChainId, known: HeadChain | null): Promise<boolean> {
    const chain = HeadChain.of(await this.deps.store.load(chainId));
    if (chain === null) return false;
    this.known.set(chainId, chain);
    this.deps.metrics.set('nonce_chain_head', { chain: String(chainId) }, chain.head.number);
    const fork = known === null ? -1 : chain.forkWith(known);
    const replaced = known === null ? 0 : known.head.number - fork;
    const blocks = fork === -1 ? [chain.head] : chain.above(fork);
    if (replaced > 0 || blocks.length > 0) this.tell({ chainId, fork, replaced, blocks });
    return true;
  }

  /** At the first start, and after having missed more than is kept: rows have their slow looks. */
  private async begin(
    { profile: { chainId } }: ConfiguredChain,
    latest: BlockRef,
    known: HeadChain | null,
  ): Promise<boolean> {
    await this.deps.store.advance({
      ...{ chainId, expected: known?.head.hash ?? null, headers: [latest], transactions: [] },
      // Whatever was known to be in a block is looked at: what replaced it was not seen.
      ...{ fork: -1, confirmedNumber: -1, finalNumber: null },
    });
    await this.goOnFrom(chainId, known);
    return false;
  }

  private tellReorg({ profile: { chainId } }: ConfiguredChain, depth: number): void {
    if (depth <= 0) return;
    this.deps.metrics.count('nonce_reorgs_total', { chain: String(chainId) });
    this.deps.logger.warn('blocks were replaced', { chainId, depth });
  }

  /** More blocks than a chain may replace: what counted as final may be undone (S15). */
  private async replacedDeeply(
    chain: ConfiguredChain,
    known: HeadChain,
    latest: BlockRef,
  ): Promise<boolean> {
    const { chainId } = chain.profile;
    const reason = `chain replaced more blocks than it may: head ${String(known.head.number)} is unknown to it now`;
    const paused = await this.deps.store.freeze(chainId, reason);
    this.deps.metrics.count('nonce_anomalies_total', { kind: 'deep-reorg' });
    this.deps.logger.error(reason, {
      chainId,
      paused: paused.length,
      fix: 'compare what was final with the chain, then resume the submitters or reset them',
    });
    return this.begin(chain, latest, known);
  }

  private tell(step: HeadStep): void {
    for (const listener of this.listeners) listener(step);
  }
}

/** Blocks of these heights, as many as are there, and at most so many. */
async function fetchBlocks(
  { reader }: ConfiguredChain,
  from: number,
  to: number,
): Promise<readonly BlockContents[]> {
  const count = Math.max(0, Math.min(to - from + 1, FETCHED_TOGETHER));
  const numbers = Array.from({ length: count }, (_, i) => from + i);
  const blocks = await Promise.all(numbers.map((number) => reader.blockContents(number)));
  const missing = blocks.indexOf(null);
  return (missing === -1 ? blocks : blocks.slice(0, missing)) as readonly BlockContents[];
}
