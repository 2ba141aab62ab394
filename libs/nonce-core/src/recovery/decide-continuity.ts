import type { ServerStart, Witness, WitnessedFacts } from '../domain/witness';
import type { ComparedState, ServerFacts } from '../ports/continuity-store.port';

export type ContinuityDecision =
  /** Somebody has vouched for this run already. */
  | { readonly kind: 'recorded' }
  | { readonly kind: 'record'; readonly how: 'first use' | 'witnessed' }
  /** Nonces were issued, and nobody can say whether the database still knows all of them. */
  | { readonly kind: 'hold' };

/**
 * Whether a run of the database may be used (H-10). `places` are the answers of all witnesses, null
 * for those that cannot be read. One that can be read and knows nothing vouches for nothing: it may
 * have been emptied.
 */
export function decideContinuity(
  facts: ServerFacts,
  places: readonly (WitnessedFacts | null)[],
): ContinuityDecision {
  if (facts.recorded.some((run) => isSameRun(run, facts.server))) return { kind: 'recorded' };
  const vouches = (place: WitnessedFacts | null) =>
    place !== null && (place.server !== null || place.witnesses.length > 0);
  if (places.some(vouches)) return { kind: 'record', how: 'witnessed' };
  if (!facts.allocations) return { kind: 'record', how: 'first use' };
  return { kind: 'hold' };
}

/** Commits that were witnessed are gone since `lostAt`, the start of a run. */
export interface Loss {
  readonly lostAt: string;
  readonly reason: string;
}

/**
 * Whether the database forgot commits, judged by the last run that was witnessed: its row may be
 * missing, or the run after it began at a lower position of the log or on another timeline. Nothing
 * else tells of intents that were lost while epoch and ceiling stayed. null when nothing was lost as
 * far as this shows.
 */
export function findLoss(facts: ServerFacts, witnessed: ServerStart | null): Loss | null {
  if (witnessed === null || isSameRun(witnessed, facts.server)) return null;
  const lostNow = (reason: string): Loss => ({ lostAt: facts.server.startedAt, reason });
  if (witnessed.systemId !== facts.server.systemId) {
    return lostNow('the database was replaced by another cluster');
  }
  // Written before anything else in that run, so a database without it is older than the run.
  if (!facts.recorded.some((run) => isSameRun(run, witnessed))) {
    return lostNow('the database forgot a whole run of the server');
  }
  const next = runAfter(facts, witnessed);
  const loss = (reason: string): Loss => ({ lostAt: next.startedAt, reason });
  if (next.timeline !== witnessed.timeline) {
    return loss('the database goes on from another timeline: commits may be lost');
  }
  if (BigInt(next.startLsn) < BigInt(witnessed.lsn)) {
    return loss('the log of the database ends before what was witnessed');
  }
  return null;
}

/** The first run after `run` that anybody recorded, or the present one. */
function runAfter(
  facts: ServerFacts,
  run: ServerStart,
): { readonly startedAt: string; readonly timeline: string; readonly startLsn: string } {
  // Latest first; the runs recorded after it stand before it.
  const at = facts.recorded.findIndex((recorded) => isSameRun(recorded, run));
  const next = facts.recorded
    .slice(0, at)
    .findLast((recorded) => recorded.systemId === run.systemId);
  if (next !== undefined) return { ...next, startLsn: next.lsn };
  return { ...facts.server, startLsn: facts.startLsn };
}

export function isSameRun(
  one: Pick<ServerStart, 'systemId' | 'startedAt'>,
  other: Pick<ServerStart, 'systemId' | 'startedAt'>,
): boolean {
  return one.systemId === other.systemId && one.startedAt === other.startedAt;
}

/** What has to be done with the witnessed submitters. */
export interface ComparisonOutcome {
  /** The database does not know them at all. */
  readonly unknown: readonly Witness[];
  /** Their witnesses show more than the database, or a recovery of them was cut off. */
  readonly behind: readonly Witness[];
}

export function judgeComparison(compared: readonly ComparedState[]): ComparisonOutcome {
  const unknown: Witness[] = [];
  const behind: Witness[] = [];
  for (const { witness, state } of compared) {
    if (state === null) unknown.push(witness);
    else if (state.unfinished || state.epoch < witness.epoch || state.ceiling < witness.ceiling) {
      behind.push(witness);
    }
  }
  return { unknown, behind };
}
