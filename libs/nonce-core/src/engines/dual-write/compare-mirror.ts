import { NonceError } from '../../domain/errors/nonce-error';
import type { Submitter } from '../../domain/submitter';
import type { Clock } from '../../ports/clock.port';
import type { EventSink } from '../../ports/events.port';
import type { Metrics } from '../../ports/metrics.port';
import type {
  MirrorCopy,
  MirrorDivergence,
  MirroredNonce,
  MirrorNews,
  MirrorRepair,
  MirrorScope,
  MirrorStore,
  MirrorTruth,
  SubmitterTruth,
} from '../../ports/mirror.port';
import {
  decideDivergence,
  isOpen,
  type Difference,
  type DivergenceRules,
  type MirrorFindings,
} from './decide-divergence';
import { MirrorMemory } from './mirror-memory';
import { MirrorRounds } from './mirror-rounds';

export interface CompareMirrorOptions extends DivergenceRules {
  /** Submitters compared by one statement. */
  readonly pageSize: number;
  /** Pages of one tick; a round of more submitters takes several. */
  readonly maxPages: number;
  /** Open nonces read per submitter; of more than these only those that the mirror holds are compared. */
  readonly maxOpen: number;
  /** Whoever compares and falls silent for so long is followed by another worker. */
  readonly leadMs: number;
  /** The standing is forgotten so long after it was told. */
  readonly standingMs: number;
  readonly maxLooks: number;
  /** Below the time after which untouched copies expire: they are not missed then. */
  readonly maxLookAgeMs: number;
}

const COMPARE_MIRROR_DEFAULTS: CompareMirrorOptions = {
  inMotionMs: 1_000,
  // Above statement_timeout and lock_timeout together, which bound the way from clock to commit.
  lateCommitMs: 5_000,
  pageSize: 200,
  maxPages: 10,
  maxOpen: 2_000,
  leadMs: 15_000,
  standingMs: 15_000,
  maxLooks: 200_000,
  maxLookAgeMs: 300_000,
};

export interface CompareMirrorPorts {
  readonly truth: MirrorTruth;
  readonly mirror: MirrorStore;
  readonly scope: MirrorScope;
  readonly events: EventSink;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

interface Look {
  readonly copy: MirrorCopy;
  readonly truth: SubmitterTruth;
  readonly findings: MirrorFindings;
}

/**
 * Compares the mirror with Postgres, submitter by submitter, and brings it what it has not heard of.
 * One process of all compares at a time: it remembers its last look, and what two looks in a row
 * find unchanged and different is divergence, which is counted, listed and repaired from Postgres.
 * Another process that takes over starts without that memory and takes what is missing for news.
 */
export class CompareMirror {
  private readonly options: CompareMirrorOptions;
  private readonly memory: MirrorMemory;
  private readonly rounds = new MirrorRounds();

  constructor(
    private readonly ports: CompareMirrorPorts,
    private readonly owner: string,
    options: Partial<CompareMirrorOptions> = {},
  ) {
    this.options = Object.freeze({ ...COMPARE_MIRROR_DEFAULTS, ...options });
    const { maxLooks, maxLookAgeMs: maxAgeMs } = this.options;
    this.memory = new MirrorMemory({ maxLooks, maxAgeMs });
  }

  /** Compares some pages, at most to the end of a round. */
  async tick(signal?: AbortSignal): Promise<void> {
    const { mirror, scope, clock, metrics } = this.ports;
    try {
      if (!scope.active() || !(await mirror.lead(this.owner, this.options.leadMs))) {
        this.memory.clear();
        this.rounds.restart();
        metrics.set('nonce_mirror_in_step', {}, 0);
        return;
      }
      this.rounds.begin(scope.epoch());
      for (let page = 0; page < this.options.maxPages && signal?.aborted !== true; page += 1) {
        if (!(await this.comparePage())) break;
      }
      const standing = this.rounds.standing(clock.nowMs());
      metrics.set('nonce_mirror_in_step', {}, standing.inStep ? 1 : 0);
      await mirror.keepStanding(standing, this.options.standingMs);
    } catch (error) {
      // Looks stay remembered: what Redis has lost meanwhile is found missing.
      this.rounds.restart();
      metrics.set('nonce_mirror_in_step', {}, 0);
      throw error;
    }
  }

  /** Lets another process compare at once. */
  async end(): Promise<void> {
    await this.ports.mirror.resign(this.owner);
  }

  /** False at the end of a round. */
  private async comparePage(): Promise<boolean> {
    const { after } = this.rounds;
    const { pageSize } = this.options;
    const open = await this.ports.truth.openSubmitters(after, pageSize);
    const last = open.length < pageSize ? null : (open.at(-1) ?? null);
    const all = new Set([...open, ...this.memory.between(after, last)]);
    const covered: Submitter[] = [];
    for (const submitter of all) {
      if (this.ports.scope.covers(submitter)) covered.push(submitter);
      else this.memory.forget(submitter);
    }
    const looks = await this.lookAt(covered);
    await this.put(looks);
    this.remember(looks);
    this.rounds.endPage(last);
    return last !== null;
  }

  /** The mirror first: then Postgres has said whatever the copy says. */
  private async lookAt(submitters: readonly Submitter[]): Promise<readonly Look[]> {
    if (submitters.length === 0) return [];
    const { mirror, truth, clock } = this.ports;
    const copies = await mirror.read(submitters);
    const truths = await truth.read(submitters, this.options.maxOpen);
    const pairs = copies.map((copy) => ({ copy, truth: truthOf(truths, copy.submitter) }));
    const settled = await truth.find(
      pairs.flatMap((pair) =>
        heldForOpen(pair).map((nonce) => ({ submitter: pair.copy.submitter, nonce })),
      ),
    );
    const nowMs = clock.monotonicMs();
    return pairs.map((pair) => {
      const { submitter } = pair.copy;
      const previous = this.memory.find(submitter, nowMs);
      const found: readonly MirroredNonce[] = settled.get(submitter) ?? [];
      const comparison = { ...pair, settled: found, previous };
      return { ...pair, findings: decideDivergence(comparison, this.options) };
    });
  }

  private async put(looks: readonly Look[]): Promise<void> {
    const { mirror, metrics } = this.ports;
    const news = looks.map(newsOf).filter((each) => each.next !== null || each.nonces.length > 0);
    const late = news.reduce((sum, { nonces }) => sum + nonces.length, 0);
    if (news.length > 0) await mirror.write(news);
    if (late > 0) metrics.count('nonce_mirror_repairs_total', { cause: 'late' }, late);
    const repairs = looks.map(repairOf);
    if (repairs.length > 0) await mirror.repair(repairs);
    for (const { copy, findings } of looks) this.report(copy.submitter, findings.divergences);
  }

  private report(submitter: Submitter, found: readonly Difference[]): void {
    if (found.length === 0) return;
    const { metrics, events, clock } = this.ports;
    const foundAtMs = clock.nowMs();
    const listed = found.map(({ kind, nonce }): MirrorDivergence => ({
      submitter,
      kind,
      nonce,
      foundAtMs,
    }));
    this.rounds.list(listed);
    metrics.count('nonce_mirror_repairs_total', { cause: 'divergence' }, found.length);
    for (const { kind, nonce } of listed) {
      const anomaly = `mirror-${kind}`;
      metrics.count('nonce_mirror_divergence_total', { kind });
      metrics.count('nonce_anomalies_total', { kind: anomaly });
      const what = nonce === null ? 'the next nonce, or a foreign field' : `nonce ${nonce}`;
      events.publish('anomaly', { kind: anomaly, submitter, detail: `mirror of ${what}` });
    }
  }

  private remember(looks: readonly Look[]): void {
    const nowMs = this.ports.clock.monotonicMs();
    for (const { copy, truth, findings } of looks) {
      const { inStep, differences } = findings;
      this.rounds.note({ submitters: 1, differences: inStep ? 0 : 1 });
      if (inStep && truth.open.length === 0) {
        this.memory.forget(copy.submitter);
        continue;
      }
      const { asOfUs, next } = truth;
      this.memory.keep(copy.submitter, { asOfUs, next, differences }, nowMs);
    }
  }
}

function truthOf(
  truths: ReadonlyMap<Submitter, SubmitterTruth>,
  submitter: Submitter,
): SubmitterTruth {
  const truth = truths.get(submitter);
  // Asked for because it was seen before: a state row is never deleted.
  if (truth === undefined) throw new NonceError('NONCE_INTERNAL', { context: { submitter } });
  return truth;
}

/** Nonces that the mirror takes for open and that are not among the open ones read. */
function heldForOpen({ copy, truth }: Pick<Look, 'copy' | 'truth'>): readonly number[] {
  const open = new Set(truth.open.map(({ nonce }) => nonce));
  const held: number[] = [];
  for (const { value } of copy.nonces.values()) {
    if (value !== null && isOpen(value.stage) && !open.has(value.nonce)) held.push(value.nonce);
  }
  return held;
}

function newsOf({ copy, findings }: Look): MirrorNews {
  return { submitter: copy.submitter, next: findings.lateNext, nonces: findings.late };
}

function repairOf({ copy, findings }: Look): MirrorRepair {
  const corrections = [
    ...findings.divergences.map(({ correction }) => correction),
    ...findings.outdated,
  ];
  return { submitter: copy.submitter, corrections, settled: findings.settledBelow };
}
