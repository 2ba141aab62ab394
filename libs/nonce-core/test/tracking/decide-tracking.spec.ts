import type { LookupTrouble } from '../../src/ports/chain.port';
import {
  ALLOCATION_STAGES,
  canMove,
  type AllocationStage,
} from '../../src/domain/allocation-state';
import type { TransactionLookup } from '../../src/ports/chain.port';
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

const EXPOSED = ['INTENT', 'BROADCAST', 'QUARANTINED', 'BURNING'] as const;

function verdictOf(decision: TrackingDecision) {
  if (decision.kind !== 'verdict') throw new Error(`no verdict: ${JSON.stringify(decision)}`);
  return decision.verdict;
}

describe('a receipt of one of our hashes', () => {
  it.each(EXPOSED)('K7: makes %s MINED with the hash and block that were found', (stage) => {
    const decision = decideTracking(trackedRow(stage), evidenceOf({ [OWN]: found(109) }), RULES);
    expect(verdictOf(decision)).toMatchObject({
      from: stage,
      to: 'MINED',
      txHash: OWN,
      block: { number: 109, hash: blockHash(109) },
    });
  });

  it('counts for any hash ever recorded, not only the last one', () => {
    const row = trackedRow('BROADCAST', { hashes: [OTHER_OWN, OWN] });
    const receipts = { [OTHER_OWN]: found(109), [OWN]: ABSENT };
    expect(verdictOf(decideTracking(row, evidenceOf(receipts), RULES)).txHash).toBe(OTHER_OWN);
  });

  it('S6: decides nothing when its block is not in the canonical chain', () => {
    const evidence = evidenceOf({ [OWN]: found(109, blockHash(109, 1)) });
    expect(decideTracking(trackedRow('BROADCAST'), evidence, RULES).kind).toBe('wait');
  });

  it('confirms once enough blocks lie on top, and not one block earlier', () => {
    const at = (headNumber: number) =>
      decideTracking(
        trackedRow('MINED', { blockNumber: 105, blockHash: blockHash(105) }),
        evidenceOf({ [OWN]: found(105) }, { headNumber }),
        RULES,
      );
    expect(at(107).kind).toBe('wait');
    expect(verdictOf(at(108)).to).toBe('CONFIRMED');
  });

  it('confirms on inclusion when no confirmations are asked for', () => {
    const rules = { ...RULES, profile: { ...RULES.profile, confirmations: 0 } };
    const row = trackedRow('MINED', { blockNumber: 110, blockHash: blockHash(110) });
    const decision = decideTracking(row, evidenceOf({ [OWN]: found(110) }), rules);
    expect(verdictOf(decision).to).toBe('CONFIRMED');
  });

  it('is final by receipt once its block is, and never before', () => {
    const at = (finalNumber: number | null) =>
      decideTracking(
        trackedRow('CONFIRMED'),
        evidenceOf({ [OWN]: found(100) }, { finalNumber }),
        RULES,
      );
    expect(at(null).kind).toBe('wait');
    expect(at(99).kind).toBe('wait');
    expect(verdictOf(at(100))).toMatchObject({ to: 'FINAL', proof: 'receipt' });
  });

  it('ends an assertion that has a hash', () => {
    const row = trackedRow('ASSERTED', { chainFinalizedCount: 6, chainLatestCount: 6 });
    const decision = decideTracking(row, evidenceOf({ [OWN]: found(100) }), RULES);
    expect(verdictOf(decision)).toMatchObject({ to: 'FINAL', proof: 'receipt' });
  });
});

describe('a receipt that is gone', () => {
  const replaced = evidenceOf(
    { [OWN]: ABSENT },
    { canonical: new Map([[100, blockHash(100, 1)]]), finalNumber: 90 },
  );

  it.each(['MINED', 'CONFIRMED'] as const)(
    'K8, S15: leads %s back to BROADCAST when another block stands at its height',
    (stage) => {
      expect(verdictOf(decideTracking(trackedRow(stage), replaced, RULES)).to).toBe('BROADCAST');
    },
  );

  it.each(['MINED', 'CONFIRMED'] as const)(
    'S15: leaves %s alone while a lagging provider does not know its block yet',
    (stage) => {
      const lagging = evidenceOf({ [OWN]: ABSENT }, { canonical: new Map([[100, null]]) });
      expect(decideTracking(trackedRow(stage), lagging, RULES).kind).toBe('wait');
      const contradicting = evidenceOf({ [OWN]: ABSENT });
      expect(decideTracking(trackedRow(stage), contradicting, RULES).kind).toBe('wait');
    },
  );

  it('S15: is looked for anew when the transaction was included in another block', () => {
    const evidence = evidenceOf({ [OWN]: found(103) });
    expect(verdictOf(decideTracking(trackedRow('MINED'), evidence, RULES)).to).toBe('BROADCAST');
  });
});

describe('no receipt', () => {
  const nothing = evidenceOf({ [OWN]: ABSENT });

  it('K4: sends stored bytes of an intent again whose holder is silent', () => {
    expect(decideTracking(trackedRow('INTENT'), nothing, RULES)).toEqual({ kind: 'resend' });
  });

  it('K6: finds a hash-only intent in a pool and calls it BROADCAST', () => {
    const row = trackedRow('INTENT', { rawTx: null });
    expect(decideTracking(row, nothing, RULES)).toEqual({ kind: 'look-in-pool' });
    const pooled = decideTracking(row, { ...nothing, pool: 'pooled' }, RULES);
    expect(verdictOf(pooled).to).toBe('BROADCAST');
  });

  it('quarantines a hash-only intent that nobody knows, released as the policy says', () => {
    const row = trackedRow('INTENT', { rawTx: null });
    const gone = { ...nothing, pool: 'absent' as const };
    const replaced = verdictOf(decideTracking(row, gone, RULES));
    expect(replaced).toMatchObject({ to: 'QUARANTINED', releaseAfterMs: 30_000 });
    expect(replaced.nextLookMs).toBeLessThan(30_000);
    const hold = { ...RULES, quarantine: { ms: 30_000, release: 'hold' as const } };
    expect(verdictOf(decideTracking(row, gone, hold)).releaseAfterMs).toBeUndefined();
  });

  it('L7: sends a broadcast again that every pool forgot, and not one that is still pooled', () => {
    const row = trackedRow('BROADCAST', { unchangedMs: 5_000 });
    expect(decideTracking(row, { ...nothing, pool: 'absent' }, RULES).kind).toBe('resend');
    expect(decideTracking(row, { ...nothing, pool: 'pooled' }, RULES).kind).toBe('wait');
    expect(decideTracking(trackedRow('BROADCAST'), nothing, RULES).kind).toBe('wait');
  });

  it('S6: gives no hash up while the nonce is used but not final', () => {
    const row = trackedRow('INTENT', { chainLatestCount: 6, rawTx: null });
    expect(decideTracking(row, { ...nothing, pool: 'absent' }, RULES).kind).toBe('wait');
  });

  it('K8: sends again although the count known from before a reorg is too high', () => {
    const row = trackedRow('BROADCAST', { chainLatestCount: 6, unchangedMs: 5_000 });
    expect(decideTracking(row, { ...nothing, pool: 'absent' }, RULES).kind).toBe('resend');
  });

  it.each(EXPOSED)(
    'S6: calls %s consumed by another only at finality, and only at a second look',
    (stage) => {
      const consumed = { chainLatestCount: 6, chainFinalizedCount: 6 };
      const first = verdictOf(decideTracking(trackedRow(stage, consumed), nothing, RULES));
      expect(first).toMatchObject({ to: stage, stuck: true });
      const told = { ...consumed, stuckMs: 90_000, note: first.reason };
      const soon = trackedRow(stage, { ...told, unchangedMs: 100 });
      expect(decideTracking(soon, nothing, RULES).kind).toBe('wait');
      const later = trackedRow(stage, { ...told, unchangedMs: 60_000 });
      expect(decideTracking(later, nothing, RULES).kind).toBe('look-at-count');
      const second = verdictOf(decideTracking(later, { ...nothing, latestCount: 6 }, RULES));
      expect(second).toMatchObject({ to: 'CONSUMED_EXTERNAL', proof: 'count' });
    },
  );

  it('S6: a row that was stuck for another reason still gets its second look', () => {
    const consumed = { chainLatestCount: 6, chainFinalizedCount: 6, unchangedMs: 60_000 };
    const row = trackedRow('BROADCAST', { ...consumed, stuckMs: 60_000, note: 'fee too low' });
    const evidence = { ...nothing, latestCount: 6 };
    const decided = verdictOf(decideTracking(row, evidence, RULES));
    expect(decided).toMatchObject({ to: 'BROADCAST', stuck: true });
  });

  it('S6: providers whose own count has not reached the nonce cannot say that a receipt is missing', () => {
    const row = consumedRow('BROADCAST');
    expect(decideTracking(row, { ...nothing, latestCount: 5 }, RULES).kind).toBe('wait');
  });

  it('S4: a holder that may have sent bytes nobody was told of is never written off by the count', () => {
    const facts = { inheritedHashes: 1, exposure: 'inferred' } as const;
    const row = consumedRow('QUARANTINED', facts);
    expect(decideTracking(row, { ...nothing, latestCount: 6 }, RULES).kind).toBe('wait');
    const declared = consumedRow('QUARANTINED', { inheritedHashes: 1 });
    const decided = verdictOf(decideTracking(declared, { ...nothing, latestCount: 6 }, RULES));
    expect(decided).toMatchObject({ to: 'CONSUMED_EXTERNAL' });
  });

  it("S5: an earlier holder's success ends the present one, at finality and never as its own", () => {
    const row = trackedRow('BROADCAST', { hashes: [OTHER_OWN, OWN], inheritedHashes: 1 });
    const recent = evidenceOf({ [OTHER_OWN]: found(105), [OWN]: ABSENT });
    const named = verdictOf(decideTracking(row, recent, RULES));
    expect(named).toMatchObject({ to: 'BROADCAST', txHash: OTHER_OWN });
    expect(decideTracking({ ...row, txHash: OTHER_OWN }, recent, RULES).kind).toBe('wait');
    const final = evidenceOf({ [OTHER_OWN]: found(99), [OWN]: ABSENT });
    expect(verdictOf(decideTracking(row, final, RULES))).toMatchObject({
      to: 'CONSUMED_EXTERNAL',
      txHash: OTHER_OWN,
      proof: 'receipt',
    });
    const own = evidenceOf({ [OTHER_OWN]: ABSENT, [OWN]: found(105) });
    expect(verdictOf(decideTracking(row, own, RULES))).toMatchObject({ to: 'MINED', txHash: OWN });
  });

  it('keeps a quarantined nonce from its release while a pool holds its hash', () => {
    const decision = decideTracking(
      trackedRow('QUARANTINED'),
      { ...nothing, pool: 'pooled' },
      RULES,
    );
    expect(verdictOf(decision)).toMatchObject({ to: 'QUARANTINED', releaseAfterMs: 30_000 });
  });

  it('reports a held quarantine that brought no evidence, and decides nothing', () => {
    const rules = { ...RULES, quarantine: { ms: 30_000, release: 'hold' as const } };
    const row = trackedRow('QUARANTINED', { hashes: [], txHash: null, unchangedMs: 30_000 });
    const evidence = evidenceOf({});
    expect(verdictOf(decideTracking(row, evidence, rules))).toMatchObject({ stuck: true });
    expect(decideTracking({ ...row, stuckMs: 1 }, evidence, rules).kind).toBe('wait');
  });
});

describe('an answer that is missing', () => {
  it.each(ALLOCATION_STAGES)('proves nothing about a nonce in %s', (stage) => {
    const row = trackedRow(stage, { chainFinalizedCount: 9, chainLatestCount: 9, stuckMs: 99_999 });
    expect(decideTracking(row, evidenceOf({ [OWN]: UNAVAILABLE }), RULES).kind).toBe('wait');
    const two = { ...row, hashes: [OWN, OTHER_OWN] };
    const half = evidenceOf({ [OWN]: ABSENT, [OTHER_OWN]: UNAVAILABLE });
    expect(decideTracking(two, half, RULES).kind).toBe('wait');
  });

  it('is asked for at a pace that follows from why it is missing', () => {
    const row = trackedRow('BROADCAST', { unchangedMs: 0 });
    const waitFor = (trouble: LookupTrouble) =>
      decideTracking(row, evidenceOf({ [OWN]: { ...UNAVAILABLE, trouble } }), RULES);
    expect(waitFor('broken')).toEqual({ kind: 'wait', nextLookMs: 1_000 });
    expect(waitFor('rate-limited')).toEqual({ kind: 'wait', nextLookMs: 30_000 });
    // Asking again changes nothing: somebody has to know.
    expect(verdictOf(waitFor('bad-request'))).toMatchObject({ to: 'BROADCAST', stuck: true });
  });
});

it('never asks for a move that the stage table forbids, whatever the evidence', () => {
  const stages: AllocationStage[] = [...EXPOSED, 'MINED', 'CONFIRMED', 'ASSERTED'];
  const receipts = [ABSENT, UNAVAILABLE, found(100), found(109), found(103, blockHash(103, 1))];
  const pools: (TransactionLookup | null)[] = [null, 'pooled', 'mined', 'absent', 'unavailable'];
  let verdicts = 0;
  for (const stage of stages)
    for (const receipt of receipts)
      for (const pool of pools)
        for (const chainFinalizedCount of [null, 4, 6])
          for (const [stuckMs, unchangedMs] of [[null, 0] as const, [99_999, 999_999] as const])
            for (const rawTx of [null, '0x02' as const])
              for (const hashes of stage === 'QUARANTINED' ? [[], [OWN]] : [[OWN]]) {
                const facts = { chainFinalizedCount, stuckMs, unchangedMs, rawTx, hashes };
                const row = trackedRow(stage, facts);
                const own = hashes.length === 0 ? {} : { [OWN]: receipt };
                const decision = decideTracking(row, evidenceOf(own, { pool }), RULES);
                if (decision.kind !== 'verdict') continue;
                verdicts += 1;
                const { from, to } = decision.verdict;
                expect(from === to || canMove(from, to)).toBe(true);
              }
  expect(verdicts).toBeGreaterThan(100);
});
