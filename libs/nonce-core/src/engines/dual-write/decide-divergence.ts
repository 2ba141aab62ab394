import { STATUS_OF, type AllocationStage } from '../../domain/allocation-state';
import type {
  DivergenceKind,
  MirrorField,
  MirrorCopy,
  MirrorCorrection,
  MirroredNext,
  MirroredNonce,
  SubmitterTruth,
} from '../../ports/mirror.port';
import { isLaterNext, isLaterNonce } from './mirror-fact';

export interface Difference {
  readonly kind: DivergenceKind;
  readonly nonce: number | null;
  readonly correction: MirrorCorrection;
}

/** What the last look at a submitter knew and left behind. */
export interface MirrorLook {
  readonly asOfUs: number;
  readonly next: MirroredNext;
  readonly differences: readonly Difference[];
}

export interface DivergenceRules {
  /** A row that changed so shortly before the look may be on its way to the mirror. */
  readonly inMotionMs: number;
  /** A row may be read by a look for the first time although it was changed so long before the one before. */
  readonly lateCommitMs: number;
}

export interface Comparison {
  readonly copy: MirrorCopy;
  readonly truth: SubmitterTruth;
  /** Nonces that the mirror takes for open and Postgres does not list as open. */
  readonly settled: readonly MirroredNonce[];
  /** null = this submitter was not compared before. */
  readonly previous: MirrorLook | null;
}

export interface MirrorFindings {
  /** Changed since the last look, or never looked at: the mirror is only late. */
  readonly late: readonly MirroredNonce[];
  readonly lateNext: MirroredNext | null;
  /** Seen for the first time; divergence if the next look sees them unchanged. */
  readonly differences: readonly Difference[];
  readonly divergences: readonly Difference[];
  /** Settled nonces that no older fact can come for any more. */
  readonly outdated: readonly MirrorCorrection[];
  readonly settledBelow: { readonly below: number; readonly asOfUs: number };
  /** Nothing was late or different, but for what is in motion. */
  readonly inStep: boolean;
}

const US_PER_MS = 1_000;

export function isOpen(stage: AllocationStage): boolean {
  return STATUS_OF[stage] !== 'USED';
}

/**
 * Compares one submitter. The copy was read before the truth, so whatever it says Postgres has said:
 * it can be behind for a while, but never ahead.
 */
export function decideDivergence(comparison: Comparison, rules: DivergenceRules): MirrorFindings {
  const { copy, truth, previous } = comparison;
  const known = new Map<string, MirroredNonce>();
  for (const row of [...comparison.settled, ...truth.open]) known.set(String(row.nonce), row);
  const late: MirroredNonce[] = [];
  const found: Difference[] = [];
  for (const field of new Set([...known.keys(), ...copy.nonces.keys()])) {
    const expected = known.get(field) ?? null;
    const seen = copy.nonces.get(field) ?? null;
    const difference = differenceAt(field, seen, expected);
    if (difference === null) continue;
    if (expected !== null && truth.asOfUs - expected.changedAtUs < rules.inMotionMs * US_PER_MS) {
      continue;
    }
    if (expected !== null && isLate(seen, expected, { previous, rules })) late.push(expected);
    else found.push(difference);
  }
  const next = decideNext(comparison);
  if (next.difference !== null) found.push(next.difference);
  const { differences, divergences } = sort(found, previous);
  const settledBelow = settledBefore(truth, rules);
  return {
    late,
    lateNext: next.late,
    differences,
    divergences,
    outdated: outdatedOf(copy, settledBelow),
    settledBelow,
    inStep: late.length === 0 && found.length === 0 && (next.late === null || previous !== null),
  };
}

function differenceAt(
  field: string,
  seen: MirrorField<MirroredNonce> | null,
  expected: MirroredNonce | null,
): Difference | null {
  const kind = kindOf(seen, expected);
  if (kind === null) return null;
  const nonce = /^\d+$/.test(field) ? Number(field) : null;
  return { kind, nonce, correction: { field, found: seen?.text ?? null, put: expected } };
}

function kindOf(
  seen: MirrorField<MirroredNonce> | null,
  expected: MirroredNonce | null,
): DivergenceKind | null {
  if (seen === null) return expected !== null && isOpen(expected.stage) ? 'missing' : null;
  const { value } = seen;
  if (expected === null) {
    // What is settled is not asked for; its trace refuses older facts and is removed later.
    return value !== null && !isOpen(value.stage) ? null : 'extra';
  }
  if (value?.owner !== expected.owner) return 'other-owner';
  const same =
    value.stage === expected.stage &&
    value.epoch === expected.epoch &&
    value.changedAtUs === expected.changedAtUs;
  return same ? null : 'other-stage';
}

/** True when the mirror has not heard of the last change yet, and could not have before. */
function isLate(
  seen: MirrorField<MirroredNonce> | null,
  expected: MirroredNonce,
  { previous, rules }: { previous: MirrorLook | null; rules: DivergenceRules },
): boolean {
  const heardOf = previous === null ? -Infinity : previous.asOfUs - rules.lateCommitMs * US_PER_MS;
  if (expected.changedAtUs <= heardOf) return false;
  if (seen === null) return true;
  return seen.value !== null && isLaterNonce(expected, seen.value);
}

function decideNext({ copy, truth, previous }: Comparison): {
  readonly late: MirroredNext | null;
  readonly difference: Difference | null;
} {
  const seen = copy.next?.value ?? null;
  if (seen !== null && seen.epoch === truth.next.epoch && seen.next === truth.next.next) {
    return { late: null, difference: null };
  }
  const behind = copy.next === null || (seen !== null && isLaterNext(truth.next, seen));
  const moved = previous === null || isLaterNext(truth.next, previous.next);
  if (behind && moved) return { late: truth.next, difference: null };
  const correction = { field: null, found: copy.next?.text ?? null, put: truth.next };
  return { late: null, difference: { kind: 'next', nonce: null, correction } };
}

function sort(
  found: readonly Difference[],
  previous: MirrorLook | null,
): Pick<MirrorFindings, 'differences' | 'divergences'> {
  const before = new Set(previous?.differences.map(nameOf));
  return {
    differences: found.filter((difference) => !before.has(nameOf(difference))),
    divergences: found.filter((difference) => before.has(nameOf(difference))),
  };
}

/** The same name = nothing about it has changed, neither here nor there. */
function nameOf({ kind, correction }: Difference): string {
  return JSON.stringify([kind, correction]);
}

function settledBefore(
  { open, next, asOfUs, truncated }: SubmitterTruth,
  { lateCommitMs }: DivergenceRules,
): { below: number; asOfUs: number } {
  // Of a list that is not whole the lowest one may be missing.
  const below = truncated ? 0 : (open[0]?.nonce ?? next.next);
  return { below, asOfUs: asOfUs - lateCommitMs * US_PER_MS };
}

function outdatedOf(
  copy: MirrorCopy,
  { below, asOfUs }: { below: number; asOfUs: number },
): readonly MirrorCorrection[] {
  const outdated: MirrorCorrection[] = [];
  for (const [field, { text, value }] of copy.nonces) {
    if (value === null || isOpen(value.stage)) continue;
    if (value.nonce < below && value.changedAtUs <= asOfUs) {
      outdated.push({ field, found: text, put: null });
    }
  }
  return outdated;
}
