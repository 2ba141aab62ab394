import { isNonceError } from '../domain/errors/nonce-error';
import { submitterParts } from '../domain/submitter';
import type { Allocation } from '../domain/allocation';
import type { BurnSigner, BurnSigning } from '../ports/burn-signer.port';
import type { ChainRegistry } from '../ports/chain.port';
import type { NonceEngine } from '../ports/engine.port';
import type { EventSink } from '../ports/events.port';
import type { Logger } from '../ports/logger.port';
import type { IdleGap, TrackingStore } from '../ports/tracking-store.port';

/** What it takes to hold a nonce like any caller. */
export type GapHolder = Pick<
  NonceEngine,
  'allocate' | 'intent' | 'markSubmitted' | 'markRecyclable'
>;

interface CloseGapsDeps {
  readonly store: Pick<TrackingStore, 'listIdleGaps'>;
  readonly engine: GapHolder;
  readonly chains: ChainRegistry;
  readonly burnSigner: BurnSigner | null;
  readonly events: EventSink;
  readonly logger: Logger;
}

/** Traffic fills a gap by itself: longer than a busy account goes without an allocation. */
const GAP_SETTLED_MS = 30_000;
/** Gaps closed in one tick; the next ones come with the next tick. */
const GAPS_PER_TICK = 50;
/** Signing and recording take less than this. */
const HELD_MS = 60_000;

const HELP =
  'allocate for this account, or give the worker a burn signer so that gaps without traffic are closed';

/**
 * Closes a gap behind which nobody sends any more: a nonce that was given back, or never issued by an
 * epoch that is closed, while transactions above it wait for it. The manager asks for it like any caller, so nobody else holds it, writes the
 * intent of a transfer of nothing (S16), and sends it; from then on it is followed like any other. A
 * process that dies in between leaves an unsent grant, or bytes that are sent again.
 */
export class CloseGaps {
  /** Gaps that were told, by submitter. */
  private readonly told = new Map<string, number>();

  constructor(
    private readonly deps: CloseGapsDeps,
    private readonly settledMs: number = GAP_SETTLED_MS,
  ) {}

  /** @returns how many gaps were closed. */
  async tick(signal?: AbortSignal): Promise<number> {
    const chainIds = this.deps.chains.all.map(({ profile }) => profile.chainId);
    const { settledMs } = this;
    const gaps = await this.deps.store.listIdleGaps({
      ...{ chainIds, settledMs, limit: GAPS_PER_TICK },
    });
    this.tell(gaps);
    let closed = 0;
    for (const gap of gaps) {
      if (signal?.aborted === true || this.deps.burnSigner === null) break;
      if (await this.close(gap, this.deps.burnSigner)) closed += 1;
    }
    return closed;
  }

  private tell(gaps: readonly IdleGap[]): void {
    const { events, logger, burnSigner } = this.deps;
    const now = new Map(gaps.map(({ submitter, nonce }) => [submitter as string, nonce as number]));
    for (const [submitter, nonce] of this.told) {
      if (now.get(submitter) === nonce) continue;
      this.told.delete(submitter);
      events.publish('gap.closed', { submitter, from: nonce, to: nonce });
    }
    for (const [submitter, nonce] of now) {
      if (this.told.has(submitter)) continue;
      this.told.set(submitter, nonce);
      events.publish('gap.opened', { submitter, from: nonce, to: nonce });
      const help = burnSigner === null ? { fix: HELP } : {};
      logger.warn('nobody asks for a nonce that others wait for', { submitter, nonce, ...help });
    }
  }

  private async close(gap: IdleGap, signer: BurnSigner): Promise<boolean> {
    const { engine, logger } = this.deps;
    const { submitter } = gap;
    try {
      const { allocations } = await engine.allocate({
        ...{ submitter, count: 1, ttlMs: HELD_MS, exposure: 'declared' },
        metadata: { purpose: 'closes a gap' },
      });
      const [held] = allocations;
      if (held === undefined) return false;
      if (held.nonce > gap.nonce || held.source === 'replacement') {
        await engine.markRecyclable(held, { reason: 'the gap was closed by somebody else' });
        return false;
      }
      return await this.burn(held, await this.sign(held, signer));
    } catch (error) {
      if (!isNonceError(error)) throw error;
      logger.warn('a gap was not closed', { ...gap, reason: error.message });
      return false;
    }
  }

  private sign({ submitter, nonce }: Allocation, signer: BurnSigner): Promise<BurnSigning> {
    const { chainId, address } = submitterParts(submitter);
    return signer.sign({ chainId, address, nonce, hashes: [], outbid: [] });
  }

  private async burn(held: Allocation, signing: BurnSigning): Promise<boolean> {
    const { engine, chains, logger } = this.deps;
    const { submitter, nonce } = held;
    if (signing.kind !== 'signed') {
      const reason = signing.kind === 'refused' ? signing.reason : signing.cause;
      await engine.markRecyclable(held, { reason: `no transfer was signed: ${reason}` });
      logger.warn('a gap was not closed', { submitter, nonce, reason });
      return false;
    }
    const { rawTx, txHash } = signing;
    await engine.intent(held, { txHash, rawTx });
    const chain = chains.find(submitterParts(submitter).chainId);
    const report = await chain?.sender.send(rawTx);
    // Any other answer is for the looks at intents whose holder says no more.
    if (report?.outcome === 'accepted') await engine.markSubmitted(held, { txHash });
    logger.info('closes a gap by a transfer of nothing', { submitter, nonce, txHash });
    return true;
  }
}
