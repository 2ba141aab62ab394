import { NonceError } from '../domain/errors/nonce-error';
import { finalHeight } from '../domain/finality';
import { submitterParts, type Submitter } from '../domain/submitter';
import type { ChainRegistry, ConfiguredChain } from '../ports/chain.port';
import type { EventSink } from '../ports/events.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import type {
  AlignmentReport,
  AlignmentStore,
  ChainObservation,
} from '../ports/submitter-store.port';
import { DeepCounts } from './deep-counts';
import { observedGenesis } from './observed-genesis';
import { ReorgedFloor } from './reorged-floor';

export interface AlignmentDeps {
  readonly store: AlignmentStore;
  readonly chains: ChainRegistry;
  readonly events: EventSink;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/**
 * Reads the account's counts and moves its floors: the issuing floor to the latest count, so that
 * nothing below it is issued again, and the finalized floor, below which rows may be settled by
 * count. Reading happens outside every transaction; a lower count than known changes nothing (S15),
 * unless the blocks that had shown the higher one were replaced.
 */
export class AlignWithChain {
  private readonly deepCounts = new DeepCounts();
  private readonly reorgedFloor: ReorgedFloor;

  constructor(private readonly deps: AlignmentDeps) {
    this.reorgedFloor = new ReorgedFloor(deps.store);
  }

  /**
   * @throws NonceError NONCE_CHAIN_UNKNOWN, NONCE_CHAIN_UNREACHABLE, NONCE_CHAIN_MISMATCH,
   * NONCE_CHAIN_RESET (the submitter issues nothing until that is settled), NONCE_SUBMITTER_UNKNOWN.
   */
  async alignWithChain(submitter: Submitter): Promise<AlignmentReport> {
    try {
      const report = await this.align(submitter);
      this.deps.metrics.count('nonce_align_total', { result: 'aligned' });
      this.announce(report);
      return report;
    } catch (error) {
      const result = error instanceof NonceError ? error.code : 'failed';
      this.deps.metrics.count('nonce_align_total', { result });
      throw error;
    }
  }

  /**
   * What `alignWithChain` would report; changes nothing. It does not look for a proven reorg: a count
   * that is `lowered` may turn out to be one.
   * @throws NonceError as `alignWithChain`.
   */
  async foresee(submitter: Submitter): Promise<AlignmentReport> {
    const observation = await this.observe(submitter, this.chainOf(submitter));
    return known(submitter, await this.deps.store.foresee(observation));
  }

  private async align(submitter: Submitter): Promise<AlignmentReport> {
    const chain = this.chainOf(submitter);
    await this.meetReset(submitter, chain);
    const observation = await this.observe(submitter, chain);
    const report = known(submitter, await this.deps.store.align(observation));
    if ((report.lowered ?? 0) > 0) return this.lookForReorg(report, observation, chain);
    this.reorgedFloor.forget(submitter);
    return report;
  }

  private chainOf(submitter: Submitter): ConfiguredChain {
    const { chainId } = submitterParts(submitter);
    const chain = this.deps.chains.find(chainId);
    if (chain === undefined) throw new NonceError('NONCE_CHAIN_UNKNOWN', { context: { chainId } });
    return chain;
  }

  /**
   * A reader that met another genesis refuses to read on. The store is told, so that the submitter
   * issues nothing more; where it was re-baselined on that genesis already, the reader follows.
   */
  private async meetReset(submitter: Submitter, { reader }: ConfiguredChain): Promise<void> {
    try {
      await reader.genesisHash();
    } catch (error) {
      const genesisHash = observedGenesis(error);
      if (genesisHash === null) throw error;
      const told = { submitter, latestCount: 0, finalizedCount: null, genesisHash };
      if ((await this.deps.store.align(told)) === null || reader.adoptGenesis === undefined)
        throw error;
      reader.adoptGenesis(genesisHash);
    }
  }

  private async lookForReorg(
    report: AlignmentReport,
    { submitter, latestCount }: ChainObservation,
    { reader }: ConfiguredChain,
  ): Promise<AlignmentReport> {
    const seen = { floor: report.chainLatest, latestCount };
    const fallen = await this.reorgedFloor.look(submitter, reader, seen);
    if (fallen?.verdict === 'final') {
      const why = `stays at ${String(report.chainLatest)}: lower nonces are final, or too many`;
      this.anomaly('reorged-floor', submitter, why);
    }
    if (fallen?.verdict !== 'lowered') return report;
    const { chainLatest, reopened } = fallen;
    const from = String(report.chainLatest);
    this.anomaly(
      'reorged-floor',
      submitter,
      `from ${from} to ${chainLatest}, ${reopened} reopened`,
    );
    return { ...report, chainLatest, reorged: true };
  }

  private async observe(
    submitter: Submitter,
    { reader, profile }: ConfiguredChain,
  ): Promise<ChainObservation> {
    const { address } = submitterParts(submitter);
    const tag = profile.finalityTag;
    const [genesisHash, latestCount, tagged, delegated] = await Promise.all([
      reader.genesisHash(),
      reader.transactionCount(address, 'latest'),
      tag === 'none' ? null : reader.block(tag),
      reader.isDelegated === undefined ? false : reader.isDelegated(address),
    ]);
    // Read after the count, so that the count holds in this block too.
    const head = await reader.block('latest');
    const observation = {
      submitter,
      latestCount,
      genesisHash,
      ...(delegated === null ? {} : { delegated }),
      ...(head === null ? {} : { block: head }),
      deepNumber: head === null ? null : head.number - profile.reorgDepth,
    };
    if (tag !== 'none' && tagged !== null && tagged.number > 0) {
      const finalizedCount = await reader.transactionCount(address, tag);
      return { ...observation, finalizedCount };
    }
    const headNumber = head?.number ?? 0;
    const { reorgDepth } = profile;
    const finalNumber = finalHeight({ headNumber, taggedNumber: null, reorgDepth });
    const finalizedCount = await this.deepCounts.settle(submitter, reader, finalNumber);
    if (head !== null) this.deepCounts.see(submitter, { block: head, count: latestCount });
    return { ...observation, finalizedCount };
  }

  private announce(report: AlignmentReport): void {
    const { submitter, foreignUse, fenced } = report;
    if (foreignUse > 0) {
      this.anomaly('foreign-use', submitter, `${foreignUse} fresh nonces were used by others`);
    }
    if (fenced > 0) {
      this.anomaly('foreign-use', submitter, `${fenced} holders lost their nonces to others`);
    }
    if ((report.lowered ?? 0) > 0) {
      this.anomaly('lowered-count', submitter, `a count was ${String(report.lowered)} too low`);
    }
    if ((report.stuck ?? 0) > 0) {
      this.anomaly('unexplained-use', submitter, `${String(report.stuck)} nonces need a decision`);
    }
  }

  private anomaly(kind: string, submitter: string, detail: string): void {
    this.deps.metrics.count('nonce_anomalies_total', { kind });
    this.deps.events.publish('anomaly', { kind, submitter, detail });
    this.deps.logger.warn('unexpected chain state', { kind, submitter, detail });
  }
}

function known(submitter: Submitter, report: AlignmentReport | null): AlignmentReport {
  if (report !== null) return report;
  throw new NonceError('NONCE_SUBMITTER_UNKNOWN', { context: { submitter } });
}
