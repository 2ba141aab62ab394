import {
  decideDivergence,
  type Comparison,
  type MirrorLook,
} from '../../src/engines/dual-write/decide-divergence';
import type {
  MirrorField,
  MirrorCopy,
  MirroredNonce,
  SubmitterTruth,
} from '../../src/ports/mirror.port';
import { newSubmitter } from '../support/store-fixture';

const RULES = { inMotionMs: 1_000, lateCommitMs: 5_000 };
const SECOND_US = 1_000_000;
const NOW_US = 1_790_000_000 * SECOND_US;
const submitter = newSubmitter();

const row = (nonce: number, secondsAgo: number, more: Partial<MirroredNonce> = {}) => ({
  ...{ nonce, epoch: 1, changedAtUs: NOW_US - secondsAgo * SECOND_US },
  ...{ stage: 'GRANTED' as const, owner: `owner-${nonce}`, ...more },
});

function copyOf(rows: readonly MirroredNonce[], next: number | null = 9): MirrorCopy {
  const found = (value: MirroredNonce): [string, MirrorField<MirroredNonce>] => [
    String(value.nonce),
    { text: JSON.stringify(value), value },
  ];
  return {
    submitter,
    next: next === null ? null : { text: `1:${next}`, value: { epoch: 1, next } },
    nonces: new Map(rows.map(found)),
  };
}

function truthOf(open: readonly MirroredNonce[], more: Partial<SubmitterTruth> = {}) {
  return {
    submitter,
    asOfUs: NOW_US,
    next: { epoch: 1, next: 9 },
    open,
    truncated: false,
    ...more,
  };
}

const lookAgo = (seconds: number, more: Partial<MirrorLook> = {}): MirrorLook => ({
  ...{
    asOfUs: NOW_US - seconds * SECOND_US,
    next: { epoch: 1, next: 9 },
    differences: [],
    ...more,
  },
});

const decide = (comparison: Partial<Comparison> & Pick<Comparison, 'copy' | 'truth'>) =>
  decideDivergence({ settled: [], previous: lookAgo(2), ...comparison }, RULES);

describe('what a look at the mirror finds', () => {
  it('is in step where both say the same', () => {
    const rows = [row(1, 60), row(2, 60)];
    const found = decide({ copy: copyOf(rows), truth: truthOf(rows) });
    expect(found).toMatchObject({ inStep: true, late: [], differences: [], divergences: [] });
  });

  it('leaves alone what changed just before: it may be on its way', () => {
    const found = decide({ copy: copyOf([]), truth: truthOf([row(1, 0.5)]) });
    expect(found).toMatchObject({ inStep: true, late: [], differences: [] });
  });

  it('brings what changed since the last look, or was committed late, and calls it late', () => {
    const changed = [row(1, 1.5), row(2, 6)];
    const found = decide({ copy: copyOf([row(2, 60)]), truth: truthOf(changed) });
    expect(found).toMatchObject({ inStep: false, late: changed, differences: [] });
  });

  it('calls a difference of what has not changed since the last look one, and then divergence', () => {
    const rows = [row(1, 60), row(2, 60)];
    const copy = copyOf([row(2, 60, { owner: 'somebody' })]);
    const first = decide({ copy, truth: truthOf(rows) });
    expect(first.differences.map(({ kind }) => kind)).toEqual(['missing', 'other-owner']);
    const previous = lookAgo(2, { differences: first.differences });
    const second = decide({ copy, truth: truthOf(rows), previous });
    expect(second.differences).toEqual([]);
    expect(second.divergences).toEqual(first.differences);
  });

  it('starts anew where either side has changed between the looks', () => {
    const rows = [row(1, 60)];
    const first = decide({ copy: copyOf([row(1, 60, { stage: 'INTENT' })]), truth: truthOf(rows) });
    const previous = lookAgo(2, { differences: first.differences });
    const copy = copyOf([row(1, 60, { stage: 'BROADCAST' })]);
    const second = decide({ copy, truth: truthOf(rows), previous });
    expect(second.divergences).toEqual([]);
    expect(second.differences).toMatchObject([{ kind: 'other-stage', nonce: 1 }]);
  });

  it('fills a copy that was never compared, but does not believe what stands there', () => {
    const rows = [row(1, 600), row(2, 600)];
    const copy = copyOf([row(2, 600, { owner: 'somebody' })], null);
    const found = decide({ copy, truth: truthOf(rows), previous: null });
    expect(found).toMatchObject({ late: [rows[0]], lateNext: { epoch: 1, next: 9 } });
    expect(found.differences).toMatchObject([{ kind: 'other-owner', nonce: 2 }]);
  });

  it('does not take a mirror for late that is ahead', () => {
    const found = decide({ copy: copyOf([row(1, 1)]), truth: truthOf([row(1, 2)]) });
    expect(found).toMatchObject({ late: [], differences: [{ kind: 'other-stage' }] });
  });

  it('takes an open nonce that Postgres does not have for extra, a settled one for its trace', () => {
    const copy = copyOf([row(1, 60), row(2, 60, { stage: 'FINAL' })]);
    const found = decide({ copy, truth: truthOf([row(0, 0)]) });
    expect(found.differences).toMatchObject([
      { kind: 'extra', nonce: 1, correction: { put: null } },
    ]);
  });

  it('brings the end of a nonce that was settled by nobody whom the mirror hears', () => {
    const settled = [row(1, 3, { stage: 'FINAL' })];
    const found = decide({ copy: copyOf([row(1, 60)]), truth: truthOf([]), settled });
    expect(found).toMatchObject({ late: settled, differences: [] });
  });

  it('removes traces below the lowest open nonce once nothing older can come', () => {
    const final = { stage: 'FINAL' as const };
    const copy = copyOf([row(1, 60, final), row(2, 2, final), row(4, 60, final), row(3, 60)]);
    const found = decide({ copy, truth: truthOf([row(3, 60)]) });
    expect(found.settledBelow).toEqual({ below: 3, asOfUs: NOW_US - 5 * SECOND_US });
    expect(found.outdated.map(({ field }) => field)).toEqual(['1']);
    expect(found.inStep).toBe(true);
  });

  it('removes no trace where it does not know the lowest open nonce', () => {
    const copy = copyOf([row(1, 60, { stage: 'FINAL' }), row(3, 60)]);
    const truth = truthOf([row(3, 60)], { truncated: true });
    const found = decide({ copy, truth });
    expect(found).toMatchObject({ inStep: true, outdated: [], settledBelow: { below: 0 } });
  });

  it.each([
    ['behind one that moved: late', 7, 7, 'late'],
    ['behind one that stands still: fallen', 7, 9, 'difference'],
    ['ahead', 12, 9, 'difference'],
  ])('judges the next nonce: %s', (_, inMirror, before, verdict) => {
    const previous = lookAgo(2, { next: { epoch: 1, next: before } });
    const found = decide({ copy: copyOf([], inMirror), truth: truthOf([]), previous });
    const kinds = found.differences.map(({ kind }) => kind);
    expect(found.lateNext !== null).toBe(verdict === 'late');
    expect(kinds).toEqual(verdict === 'late' ? [] : ['next']);
  });
});
