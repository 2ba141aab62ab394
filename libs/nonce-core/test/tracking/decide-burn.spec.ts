import type { AllocationStage } from '../../src/domain/allocation-state';
import { SUBMISSION_OUTCOMES } from '../../src/domain/submission-outcome';
import type { TrackedAllocation } from '../../src/ports/tracking-store.port';
import { decideAfterResend } from '../../src/tracking/decide-after-resend';
import { decideTracking } from '../../src/tracking/decide-tracking';
import type { TrackingDecision } from '../../src/tracking/tracking-decision';
import {
  ABSENT,
  OTHER_OWN,
  OWN,
  RULES,
  UNAVAILABLE,
  blockHash,
  consumedRow,
  evidenceOf,
  found,
  trackedRow,
} from './tracked-rows';

const BURN_RULES = {
  ...RULES,
  quarantine: { ms: 30_000, release: 'burn' as const },
  burns: true,
};
const BURN = OTHER_OWN;
const BURNT_BYTES = '0x02f9';

function verdictOf(decision: TrackingDecision) {
  if (decision.kind !== 'verdict') throw new Error(`no verdict: ${JSON.stringify(decision)}`);
  return decision.verdict;
}

/** Quarantined without any hash, as after a crash or the close of a relaxed epoch. */
function silentRow(overrides: Partial<TrackedAllocation> = {}): TrackedAllocation {
  const nothing = { hashes: [], txHash: null, rawTx: null };
  return trackedRow('QUARANTINED', { ...nothing, unchangedMs: 30_000, ...overrides });
}

/** One own hash, and one of a burn. */
function burningRow(
  stage: AllocationStage = 'BURNING',
  overrides: Partial<TrackedAllocation> = {},
): TrackedAllocation {
  const burn = {
    hashes: [OWN, BURN],
    burnHashes: [BURN],
    burnTx: BURNT_BYTES,
    txHash: BURN,
  } as const;
  return trackedRow(stage, { ...burn, ...overrides });
}

const NOTHING = evidenceOf({});
const NEITHER = evidenceOf({ [OWN]: ABSENT, [BURN]: ABSENT });

describe('a quarantined nonce under burn', () => {
  it('is closed only after its wait', () => {
    const early = silentRow({ unchangedMs: 29_999 });
    expect(decideTracking(early, NOTHING, BURN_RULES).kind).toBe('wait');
    expect(decideTracking(silentRow(), NOTHING, BURN_RULES)).toEqual({ kind: 'burn' });
  });

  it('I-31: is never closed while a pool holds its hash, and the wait begins anew', () => {
    const row = silentRow({ hashes: [OWN], txHash: OWN });
    const evidence = evidenceOf({ [OWN]: ABSENT });
    expect(decideTracking(row, evidence, BURN_RULES)).toEqual({ kind: 'look-in-pool' });
    const pooled = verdictOf(decideTracking(row, { ...evidence, pool: 'pooled' }, BURN_RULES));
    expect(pooled).toMatchObject({ to: 'QUARANTINED' });
    expect(pooled.releaseAfterMs).toBeUndefined();
    const unknown = decideTracking(row, { ...evidence, pool: 'unavailable' }, BURN_RULES);
    expect(unknown.kind).toBe('wait');
    expect(decideTracking(row, { ...evidence, pool: 'absent' }, BURN_RULES).kind).toBe('burn');
  });

  it('S6: is not closed when the chain counts it as used: its receipt may be late', () => {
    const row = silentRow({ chainLatestCount: 6 });
    expect(decideTracking(row, NOTHING, BURN_RULES).kind).toBe('wait');
  });

  it('is not closed on answers that are missing', () => {
    const row = silentRow({ hashes: [OWN], txHash: OWN });
    const silence = evidenceOf({ [OWN]: UNAVAILABLE }, { pool: 'absent' });
    expect(decideTracking(row, silence, BURN_RULES).kind).toBe('wait');
  });

  it('is reported where nobody can sign, and asked about again ever more rarely', () => {
    const rules = { ...BURN_RULES, burns: false };
    const first = verdictOf(decideTracking(silentRow(), NOTHING, rules));
    expect(first).toMatchObject({ to: 'QUARANTINED', stuck: true });
    const told = silentRow({ stuckMs: 80_000, note: first.reason, unchangedMs: 80_000 });
    expect(decideTracking(told, NOTHING, rules)).toEqual({ kind: 'wait', nextLookMs: 20_000 });
  });

  it('is tried again when it was stuck before, without another wait', () => {
    const row = silentRow({ stuckMs: 5, unchangedMs: 5, note: 'no burn: no key' });
    expect(decideTracking(row, NOTHING, BURN_RULES).kind).toBe('burn');
  });

  it.each(['hold', 'replacement'] as const)('is left alone under %s', (release) => {
    const rules = { ...BURN_RULES, quarantine: { ms: 30_000, release } };
    expect(decideTracking(silentRow(), NOTHING, rules).kind).not.toBe('burn');
  });
});

describe('a burn that is out', () => {
  it.each([
    ['our own hash', { [OWN]: found(109), [BURN]: ABSENT }, { to: 'MINED', txHash: OWN }],
    [
      'the burn, at finality',
      { [OWN]: ABSENT, [BURN]: found(99) },
      { to: 'BURNT', txHash: BURN, proof: 'receipt', block: { number: 99, hash: blockHash(99) } },
    ],
  ])('H-21: ends by %s', (_, receipts, expected) => {
    const decision = decideTracking(burningRow(), evidenceOf(receipts), BURN_RULES);
    expect(verdictOf(decision)).toMatchObject(expected);
  });

  it('S5: proves nothing by its receipt before finality', () => {
    const evidence = evidenceOf({ [OWN]: ABSENT, [BURN]: found(109) });
    expect(decideTracking(burningRow(), evidence, BURN_RULES).kind).toBe('wait');
  });

  it("S5: an earlier holder's success ends it as foreign to the present one", () => {
    const row = burningRow('BURNING', { inheritedHashes: 1 });
    const evidence = evidenceOf({ [OWN]: found(99), [BURN]: ABSENT });
    const decision = verdictOf(decideTracking(row, evidence, BURN_RULES));
    expect(decision).toMatchObject({ to: 'CONSUMED_EXTERNAL', txHash: OWN, proof: 'receipt' });
  });

  it('S4: never writes a holder off by the count that may have sent bytes nobody was told of', () => {
    const burn = { hashes: [BURN], burnHashes: [BURN], burnTx: BURNT_BYTES } as const;
    const row = consumedRow('BURNING', { ...burn, exposure: 'inferred' });
    const evidence = evidenceOf({ [BURN]: ABSENT }, { latestCount: 6 });
    expect(decideTracking(row, evidence, BURN_RULES).kind).toBe('wait');
    const declared = { ...row, exposure: 'declared' as const };
    const decided = verdictOf(decideTracking(declared, evidence, BURN_RULES));
    expect(decided).toMatchObject({ to: 'CONSUMED_EXTERNAL', proof: 'count' });
  });

  it.each(['INTENT', 'BROADCAST', 'QUARANTINED'] as const)(
    'S15: takes back a nonce that a reorg had given to its holder as %s',
    (stage) => {
      const evidence = evidenceOf({ [OWN]: ABSENT, [BURN]: found(109) });
      const decision = verdictOf(decideTracking(burningRow(stage), evidence, BURN_RULES));
      expect(decision).toMatchObject({ to: 'BURNING', txHash: BURN });
    },
  );

  it('S15: undoes a success whose block was replaced by one with the burn', () => {
    const evidence = evidenceOf({ [OWN]: ABSENT, [BURN]: found(109) });
    const decision = verdictOf(decideTracking(burningRow('MINED'), evidence, BURN_RULES));
    expect(decision.to).toBe('BROADCAST');
  });

  it('L7: is sent again when every pool forgot it', () => {
    const row = burningRow('BURNING', { unchangedMs: 5_000 });
    expect(decideTracking(row, NEITHER, BURN_RULES).kind).toBe('look-in-pool');
    expect(decideTracking(row, { ...NEITHER, pool: 'absent' }, BURN_RULES).kind).toBe('resend');
    expect(decideTracking(row, { ...NEITHER, pool: 'pooled' }, BURN_RULES).kind).toBe('wait');
  });

  it('L14: pays more after a long wait, as the head, up to its bound, and not while stuck', () => {
    const pooled = { ...NEITHER, pool: 'pooled' as const };
    const late = burningRow('BURNING', { unchangedMs: 600_000 });
    expect(decideTracking(late, pooled, BURN_RULES)).toEqual({ kind: 'burn' });
    const behind = { ...late, chainLatestCount: 4 };
    expect(verdictOf(decideTracking(behind, pooled, BURN_RULES))).toMatchObject({ stuck: true });
    const poor = { ...late, stuckMs: 1_000 };
    expect(decideTracking(poor, pooled, BURN_RULES).kind).toBe('wait');
    const spent = { ...late, burnHashes: Array.from({ length: 10 }, () => BURN) };
    expect(verdictOf(decideTracking(spent, pooled, BURN_RULES))).toMatchObject({ stuck: true });
  });
});

describe("a node's answer to a burn", () => {
  const answer = (outcome: (typeof SUBMISSION_OUTCOMES)[number], row = burningRow()) =>
    decideAfterResend(row, { outcome, txHash: BURN, detail: 'its words' }, BURN_RULES);

  it('out of funds is reported with the words of the node, and tried again ever more rarely', () => {
    const first = verdictOf(answer('not-accepted-now'));
    expect(first).toMatchObject({ to: 'BURNING', stuck: true });
    expect(first.reason).toContain('its words');
    const told = burningRow('BURNING', { stuckMs: 100_000, note: first.reason });
    expect(answer('not-accepted-now', told)).toEqual({ kind: 'wait', nextLookMs: 25_000 });
  });

  it('acceptance ends the report', () => {
    const told = burningRow('BURNING', { stuckMs: 100_000, note: 'no funds' });
    expect(verdictOf(answer('accepted', told))).toMatchObject({ to: 'BURNING', stuck: false });
    expect(answer('accepted').kind).toBe('wait');
  });

  it.each(SUBMISSION_OUTCOMES)('%s never moves the row', (outcome) => {
    const decision = answer(outcome);
    if (decision.kind === 'verdict') expect(decision.verdict.to).toBe('BURNING');
    else expect(decision.kind).toBe('wait');
  });
});
