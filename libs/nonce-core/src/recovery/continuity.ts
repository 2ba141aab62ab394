import { NonceError } from '../domain/errors/nonce-error';
import { OUTPACED } from '../domain/errors/outpaced';
import type { Submitter } from '../domain/submitter';
import type { ServerStart, Witness } from '../domain/witness';
import type { AccessStore } from '../ports/access-store.port';
import type { ContinuityStore, ServerFacts } from '../ports/continuity-store.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import type { Continuity, ServerGuard } from '../ports/witness.port';
import {
  decideContinuity,
  findLoss,
  isSameRun,
  judgeComparison,
  type Loss,
} from './decide-continuity';
import { WHY_BEHIND, type RecoverLost } from './recover-lost';
import { mergedWitnesses, type WitnessPlaces } from './witness-places';

export interface ServerContinuityDeps {
  readonly store: ContinuityStore;
  readonly places: WitnessPlaces;
  readonly lost: RecoverLost;
  /** Told once what witnesses prove lost is recovered; does not wait. */
  readonly afterLoss: (reason: string) => void;
  readonly audit: Pick<AccessStore, 'audit'>;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

export type ContinuityStatus = 'unverified' | 'trusted' | 'held';

export interface ContinuityView {
  readonly status: ContinuityStatus;
  /** The run that was verified, or on hold; null before the first answer of the database. */
  readonly server: ServerStart | null;
  /** Why nothing is issued; null while it is. */
  readonly reason: string | null;
}

export interface OperatorWord {
  readonly actor: string;
  readonly reason: string;
  /** Vouches that the database forgot nothing: then nothing is quarantined. */
  readonly intact?: boolean;
}

/** Witnessed submitters of which the database says less, or nothing. */
export interface WitnessComparison {
  readonly unknown: number;
  readonly behind: number;
}

/** No run of a server has this start. */
const NO_RUN = '0';
const WHY_HELD =
  'nonces were issued, no witness can be read, and nobody has vouched for this run of the database';

/**
 * Notices a database that was put back to an older state before anything is issued from it.
 *
 * Guarantees: a raised ceiling is used only after a witness outside the database kept it; no guarded
 * statement writes in a run of the server that was not verified here; what witnesses prove lost is
 * recovered before that run is trusted; without any witness nothing is issued until an operator
 * vouches, unless nothing was ever issued (H-10).
 * Not guaranteed: that a loss shows which no witness covers. The position of the log is witnessed
 * at every tick, so intents of the last interval may be forgotten unnoticed while epoch and ceiling
 * of their submitter stayed; grants of the reliable engine are not witnessed one by one.
 */
export class ServerContinuity implements Continuity, ServerGuard {
  private trusted: ServerStart | null = null;
  private held: ServerStart | null = null;
  private verifying: Promise<void> | null = null;

  constructor(private readonly deps: ServerContinuityDeps) {}

  view(): ContinuityView {
    if (this.trusted !== null) return { status: 'trusted', server: this.trusted, reason: null };
    if (this.held !== null) return { status: 'held', server: this.held, reason: WHY_HELD };
    return { status: 'unverified', server: null, reason: 'the database was not verified yet' };
  }

  expectedStart(): string {
    return this.trusted?.startedAt ?? NO_RUN;
  }

  async serverChanged(): Promise<void> {
    await this.verify();
    this.refuseUntilTrusted();
  }

  /**
   * Looks which run answers, and verifies it when it is another one. Calls that come together share
   * one look. Ends without an error on hold: see `view`.
   * @throws NonceError NONCE_STORE_UNAVAILABLE, NONCE_CHAIN_UNREACHABLE (a lost submitter's start).
   */
  verify(): Promise<void> {
    this.verifying ??= this.look().finally(() => {
      this.verifying = null;
    });
    return this.verifying;
  }

  async keep(witnesses: readonly Witness[]): Promise<void> {
    if (witnesses.length === 0) return;
    if (this.trusted === null) await this.verify();
    const server = this.refuseUntilTrusted();
    await this.refuseOlderThanKnown(server, witnesses);
    this.deps.places.remember(witnesses);
    await this.deps.places.keep(server, witnesses);
  }

  /** Vouches for the run on hold. Audited. @returns false when nothing was on hold. */
  async confirm(word: OperatorWord): Promise<boolean> {
    await this.verify();
    const { held } = this;
    if (held === null) return false;
    await this.deps.audit.audit({
      actor: word.actor,
      action: 'recovery.confirm',
      subject: `${held.systemId} ${held.startedAt}`,
      reason: word.reason,
      detail: { timeline: held.timeline, lsn: held.lsn, intact: word.intact === true },
    });
    await this.deps.store.record(held, { how: 'confirmed', by: word.actor });
    await this.verify();
    return true;
  }

  /**
   * Compares every witness, or that of one submitter, with the database; unless it is a dry run, what
   * is behind is recovered.
   * @throws NonceError NONCE_STORE_UNAVAILABLE, NONCE_RECOVERY_HOLD.
   */
  async compareWitnesses(dryRun: boolean, only?: Submitter): Promise<WitnessComparison> {
    await this.verify();
    const server = this.refuseUntilTrusted();
    const witnesses = mergedWitnesses(await this.deps.places.read(), only);
    const outcome = judgeComparison(await this.deps.store.compare(witnesses));
    if (!dryRun) await this.recover(server, [...outcome.unknown, ...outcome.behind], null);
    return { unknown: outcome.unknown.length, behind: outcome.behind.length };
  }

  private async look(): Promise<void> {
    const facts = await this.deps.store.facts();
    if (this.trusted === null || !isSameRun(this.trusted, facts.server)) {
      this.trusted = null;
      if (!(await this.examine(facts))) return;
    }
    this.trusted = facts.server;
    this.deps.places.memory.see(facts.server);
    // A place that fails now is met again by the next `keep`, which decides.
    await this.deps.places.keep(facts.server, []).catch(() => undefined);
  }

  /** False on hold. */
  private async examine(facts: ServerFacts): Promise<boolean> {
    const places = await this.deps.places.read();
    const decision = decideContinuity(facts, places);
    if (decision.kind === 'hold') {
      this.hold(facts.server);
      return false;
    }
    const losses = places.map((place) => findLoss(facts, place?.server ?? null));
    const loss = losses.find((found) => found !== null) ?? null;
    await this.recover(facts.server, mergedWitnesses(places), loss);
    if (decision.kind === 'record') {
      await this.deps.store.record(facts.server, { how: decision.how, by: 'continuity' });
    }
    this.trust(facts.server, decision.kind);
    return true;
  }

  private async recover(
    server: ServerStart,
    witnesses: readonly Witness[],
    loss: Loss | null,
  ): Promise<void> {
    if (loss !== null) this.deps.logger.error('the database lost commits', { ...loss });
    const recovered = await this.deps.lost.recover(server, witnesses, loss);
    this.deps.places.remember(recovered);
    if (loss !== null || recovered.length > 0) this.deps.afterLoss(loss?.reason ?? WHY_BEHIND);
  }

  private trust(server: ServerStart, how: string): void {
    this.trusted = server;
    this.held = null;
    this.deps.metrics.set('nonce_recovery_hold', {}, 0);
    this.deps.logger.info('this run of the database is verified', { ...server, how });
  }

  private hold(server: ServerStart): void {
    this.deps.metrics.set('nonce_recovery_hold', {}, 1);
    if (this.held !== null && isSameRun(this.held, server)) return;
    this.held = server;
    this.deps.logger.error(`this run of the database is on hold: ${WHY_HELD}`, { ...server });
  }

  private refuseUntilTrusted(): ServerStart {
    if (this.trusted !== null) return this.trusted;
    const context = { reason: this.view().reason };
    throw new NonceError(this.held === null ? 'NONCE_STORE_UNAVAILABLE' : 'NONCE_RECOVERY_HOLD', {
      context,
    });
  }

  /**
   * Postgres never lowers an epoch or a ceiling. One that is lower than this process knows is an
   * answer that came late, or the database was put back while the server went on running.
   */
  private async refuseOlderThanKnown(
    server: ServerStart,
    witnesses: readonly Witness[],
  ): Promise<void> {
    const { memory } = this.deps.places;
    const older = witnesses.filter((witness) => {
      const known = memory.find(witness.submitter);
      return known !== undefined && isOlder(witness, known);
    });
    if (older.length === 0) return;
    const known = older.flatMap(({ submitter }) => memory.find(submitter) ?? []);
    const { unknown, behind } = judgeComparison(await this.deps.store.compare(known));
    if (unknown.length + behind.length > 0) {
      await this.recover(server, [...unknown, ...behind], null);
    }
    const closed = older.filter(({ submitter, epoch }) => {
      const now = memory.find(submitter);
      return now !== undefined && now.epoch > epoch;
    });
    if (closed.length === 0) return;
    // As after a switch that was faster: nothing was granted, and the next try meets the later epoch.
    const { code, context } = OUTPACED;
    const reason = 'a later epoch rules by now';
    throw new NonceError(code, { context: { ...context, store: 'postgres', reason } });
  }
}

function isOlder(witness: Witness, known: Witness): boolean {
  return witness.epoch < known.epoch || witness.ceiling < known.ceiling;
}
