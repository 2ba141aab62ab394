import type { AllocationStage } from '../domain/allocation-state';
import { isNonceError } from '../domain/errors/nonce-error';
import { submitterParts } from '../domain/submitter';
import type { ConfiguredChain } from '../ports/chain.port';
import type { TrackedAllocation, TrackingVerdict } from '../ports/tracking-store.port';
import { ActOnRows } from './act-on-rows';
import type { Decided, Judging } from './decided';
import { gatherEvidence, readHeights, type ChainEvidence } from './chain-evidence';
import { decideTracking } from './decide-tracking';
import { nextLookMs, paceOfFollowed } from './look-pace';
import { announceVerdicts } from './announce-verdicts';
import type { TrackingDecision, TrackingRules } from './tracking-decision';
import type { TrackingDeps, TrackingSettings } from './tracking-deps';

type Postponed = { readonly id: string; readonly nextLookMs: number };

/**
 * Claims rows of some stages, gathers evidence, decides, applies. A claim that is never answered
 * (this process died) is claimed again by another worker when it runs out. A chain that does not
 * answer postpones its own rows only, and never decides anything.
 */
export class LookAtRows {
  private readonly acting: ActOnRows;

  constructor(
    private readonly deps: TrackingDeps,
    private readonly settings: TrackingSettings,
  ) {
    this.acting = new ActOnRows(deps, settings.claimMs);
  }

  /** @returns the number of rows looked at; the caller repeats until it is none. */
  async look(stages: readonly AllocationStage[]): Promise<number> {
    const rows = await this.deps.store.claimDue({
      stages,
      chainIds: this.deps.chains.all.map((chain) => chain.profile.chainId),
      limit: this.settings.batchMax,
      leaseMs: this.settings.claimMs,
    });
    const looks = await Promise.allSettled(
      this.deps.chains.all.map((chain) => this.lookAtChain(chain, rowsOf(chain, rows))),
    );
    // Every chain has ended before a failure of one is told: nothing goes on behind the caller.
    const failed = looks.find((look) => look.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return rows.length;
  }

  private async lookAtChain(
    chain: ConfiguredChain,
    rows: readonly TrackedAllocation[],
  ): Promise<void> {
    if (rows.length === 0) return;
    const rules = this.rulesOf(chain);
    try {
      const evidenceOf = await gatherEvidence(chain, await readHeights(chain), rows);
      const judged = await Promise.all(
        rows.map(async (row) => {
          return [
            row,
            await this.decide(row, { chain, rules, evidence: evidenceOf(row) }),
          ] as const;
        }),
      );
      const decided = await this.acting.act(judged, { chain, rules });
      await this.apply(this.paced(decided, chain));
    } catch (error) {
      if (!isNonceError(error, 'NONCE_CHAIN_UNREACHABLE')) throw error;
      const chainId = chain.profile.chainId;
      this.deps.logger.warn('chain does not answer, rows wait', { chainId, rows: rows.length });
      await this.deps.store.postpone(rows.map((row) => postponed(row, rules)));
    }
  }

  private async decide(
    row: TrackedAllocation,
    by: Judging & { readonly evidence: ChainEvidence },
  ): Promise<TrackingDecision> {
    const decision = decideTracking(row, by.evidence, by.rules);
    const { reader } = by.chain;
    if (decision.kind === 'look-at-count') {
      const { address } = submitterParts(row.submitter);
      const latestCount = await reader.transactionCount(address, 'latest');
      return decideTracking(row, { ...by.evidence, latestCount }, by.rules);
    }
    if (decision.kind !== 'look-in-pool') return decision;
    const burn = row.stage === 'BURNING' ? row.burnHashes.at(-1) : undefined;
    const pool = await reader.transaction(burn ?? row.hashes.at(-1) ?? '0x');
    return decideTracking(row, { ...by.evidence, pool }, by.rules);
  }

  /** Only heads that are followed wake rows; without them every row keeps its own pace. */
  private paced(decided: readonly Decided[], { profile }: ConfiguredChain): readonly Decided[] {
    if (this.deps.heads?.headOf(profile.chainId) === undefined) return decided;
    const { pollIntervalMs } = profile;
    return decided.map(([row, decision]) => {
      const fresh = row.unchangedMs < 2 * pollIntervalMs;
      const pace = (stage: AllocationStage, wantedMs: number): number =>
        paceOfFollowed({ stage, nextLookMs: wantedMs, pollIntervalMs, fresh });
      if (decision.kind === 'wait') {
        return [row, { ...decision, nextLookMs: pace(row.stage, decision.nextLookMs) }];
      }
      if (decision.kind !== 'verdict') return [row, decision];
      const { verdict } = decision;
      const look = pace(verdict.to, verdict.nextLookMs);
      return [row, { ...decision, verdict: { ...verdict, nextLookMs: look } }];
    });
  }

  private async apply(decided: readonly Decided[]): Promise<void> {
    const verdicts: TrackingVerdict[] = [];
    const waiting: Postponed[] = [];
    for (const [{ id }, decision] of decided) {
      if (decision.kind === 'verdict') verdicts.push(decision.verdict);
      if (decision.kind === 'wait') waiting.push({ id, nextLookMs: decision.nextLookMs });
    }
    const written = await this.deps.store.apply(verdicts);
    await this.deps.store.postpone(waiting);
    const rows = new Map(decided.map(([row]) => [row.id, row]));
    announceVerdicts(
      verdicts.filter((verdict) => written.has(verdict.id)),
      rows,
      this.deps,
    );
  }

  private rulesOf({ profile }: ConfiguredChain): TrackingRules {
    const { quarantine, stuckAfterMs, attempts } = this.settings;
    const { burnSigner, signer } = this.deps;
    const able = { burns: burnSigner !== null, bumps: signer !== null };
    return { profile, quarantine, stuckAfterMs, attempts, ...able };
  }
}

function rowsOf(
  chain: ConfiguredChain,
  rows: readonly TrackedAllocation[],
): readonly TrackedAllocation[] {
  return rows.filter((row) => submitterParts(row.submitter).chainId === chain.profile.chainId);
}

function postponed(row: TrackedAllocation, { profile }: TrackingRules): Postponed {
  return { id: row.id, nextLookMs: nextLookMs(row.unchangedMs, profile.pollIntervalMs) };
}
