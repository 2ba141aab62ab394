import type { FollowHeads } from '../../heads/follow-heads';
import type { ChainRegistry } from '../../ports/chain.port';
import type { SubmitterStore } from '../../ports/submitter-store.port';
import { ALIGNMENT_SWEEP_DEFAULTS, AlignmentSweep } from '../../recovery/alignment-sweep';
import type { OrderReconcile } from '../../recovery/order-reconcile';
import type { FullReconcile } from '../../recovery/full-reconcile';
import { CloseGaps, type GapHolder } from '../../tracking/close-gaps';
import { FollowTransactions } from '../../tracking/follow-transactions';
import { LookAtRows } from '../../tracking/look-at-rows';
import { MeasureBacklog } from '../../tracking/measure-backlog';
import { PruneTransitions } from '../../tracking/prune-transitions';
import { ReclaimExpired } from '../../tracking/reclaim-expired';
import { ResendIntents } from '../../tracking/resend-intents';
import { SettleQuarantine } from '../../tracking/settle-quarantine';
import { TRACKING_DEFAULTS, type TrackingDeps } from '../../tracking/tracking-deps';
import type { QuarantinePolicy } from '../../domain/quarantine-policy';
import type { TransitionLog } from '../../ports/transition-log.port';
import type { ResolvedNonceOptions } from '../options';
import type { JobPlan } from './periodic-job';
import type { ResolvedTracking } from './tracking-options';

export interface TrackingIntervals {
  /** Between sweeps for expired reservations. */
  readonly reclaimIntervalMs: number;
  /** Age at which an alignment with the chain counts as old. */
  readonly reconcileIntervalMs: number;
}

export interface TrackingJobParts {
  readonly deps: TrackingDeps;
  readonly heads: Pick<FollowHeads, 'tick'>;
  /** By which the nonces of gaps are had, like any others. */
  readonly engine: GapHolder;
  readonly submitters: SubmitterStore;
  readonly reconcile: Pick<FullReconcile, 'tick'>;
  readonly order: OrderReconcile;
  readonly quarantine: QuarantinePolicy;
  readonly tracking: ResolvedTracking;
  readonly transitions: Pick<TransitionLog, 'prune'>;
  readonly retention: ResolvedNonceOptions['retention'];
  readonly intervals: TrackingIntervals;
}

/** Without a chain there is nothing to poll; then the jobs only make sure of that now and then. */
const IDLE_POLL_MS = 5_000;
/** How long an order to reconcile everything waits for a worker. */
const RECONCILE_POLL_MS = 1_000;
/** Gauges are read by scrapes, which come every 15 s or so. */
const MEASURE_INTERVAL_MS = 5_000;
/** What is kept for days need not go within seconds. */
const PRUNE_INTERVAL_MS = 60_000;
/** The sweep looks several times per age, so that nobody waits for two ages. */
const SWEEPS_PER_AGE = 4;

/** What a worker does again and again. All of it is found by scanning rows, none of it remembered. */
export function trackingJobs(parts: TrackingJobParts): readonly JobPlan[] {
  const { deps, quarantine, tracking, intervals } = parts;
  const pollMs = pollIntervalMs(deps.chains);
  const rows = new LookAtRows(deps, { ...TRACKING_DEFAULTS, ...tracking, quarantine });
  const reclaim = new ReclaimExpired(deps, quarantine);
  const resend = new ResendIntents(rows);
  const follow = new FollowTransactions(rows);
  const settle = new SettleQuarantine(rows);
  const gaps = new CloseGaps({ ...deps, engine: parts.engine });
  const measure = new MeasureBacklog(deps);
  const prune = new PruneTransitions(parts.transitions, parts.retention.transitionsMs);
  const sweep = new AlignmentSweep(
    {
      submitters: parts.submitters,
      alignment: parts.order,
      chains: deps.chains,
      logger: deps.logger,
    },
    { ...ALIGNMENT_SWEEP_DEFAULTS, intervalMs: intervals.reconcileIntervalMs },
  );
  const alignMs = Math.ceil(intervals.reconcileIntervalMs / SWEEPS_PER_AGE);
  return [
    job('reclaim', intervals.reclaimIntervalMs, (signal) => reclaim.tick(signal)),
    job('resend', pollMs, (signal) => resend.tick(signal)),
    {
      name: 'follow',
      intervalMs: pollMs,
      run: async (signal) => {
        // First the heads: they say which rows to look at.
        await parts.heads.tick(signal);
        await follow.tick(signal);
      },
      wakes: (wake) => listenToHeads(deps.chains, wake),
    },
    job('quarantine', pollMs, (signal) => settle.tick(signal)),
    job('align', alignMs, (signal) => sweep.tick(signal)),
    job('reconcile', RECONCILE_POLL_MS, (signal) => parts.reconcile.tick(signal)),
    job('gaps', MEASURE_INTERVAL_MS, (signal) => gaps.tick(signal)),
    job('measure', MEASURE_INTERVAL_MS, () => measure.tick()),
    job('prune', PRUNE_INTERVAL_MS, (signal) => prune.tick(signal)),
  ];
}

function job(name: string, intervalMs: number, run: JobPlan['run']): JobPlan {
  return { name, intervalMs, run };
}

/** New heads that providers announce are looked at without waiting for the next poll. */
function listenToHeads(chains: ChainRegistry, wake: () => void): () => void {
  const ends = chains.all.map(({ heads }) => heads?.listen(wake));
  return () => {
    for (const end of ends) end?.();
  };
}

/** The fastest chain sets the pace; rows of slower ones are not due that often. */
function pollIntervalMs(chains: ChainRegistry): number {
  const polls = chains.all.map((chain) => chain.profile.pollIntervalMs);
  return polls.length === 0 ? IDLE_POLL_MS : Math.min(...polls);
}
