import { SUBMISSION_OUTCOMES, type SubmissionOutcome } from '../../src/domain/submission-outcome';
import { decideAfterResend } from '../../src/tracking/decide-after-resend';
import { OWN, RULES, trackedRow } from './tracked-rows';

const report = (outcome: SubmissionOutcome) => ({ outcome, txHash: OWN, detail: null });

it.each(['accepted', 'already-known'] as const)('K4: %s makes an intent BROADCAST', (outcome) => {
  const decision = decideAfterResend(trackedRow('INTENT'), report(outcome), RULES);
  expect(decision).toMatchObject({ kind: 'verdict', verdict: { from: 'INTENT', to: 'BROADCAST' } });
});

it.each(SUBMISSION_OUTCOMES.filter((o) => o !== 'accepted' && o !== 'already-known'))(
  'S3: %s frees nothing and moves nothing',
  (outcome) => {
    for (const stage of ['INTENT', 'BROADCAST'] as const) {
      const decision = decideAfterResend(trackedRow(stage), report(outcome), RULES);
      if (decision.kind === 'verdict') expect(decision.verdict.to).toBe(stage);
      else expect(decision.kind).toBe('wait');
    }
  },
);

it('L10: reports bytes that can never execute at once', () => {
  const decision = decideAfterResend(trackedRow('INTENT'), report('never-executable'), RULES);
  expect(decision).toMatchObject({ kind: 'verdict', verdict: { to: 'INTENT', stuck: true } });
});

it('reports bytes that no node accepts for long, once', () => {
  const row = trackedRow('INTENT', { unchangedMs: RULES.stuckAfterMs });
  const refused = report('not-accepted-now');
  expect(decideAfterResend(row, refused, RULES)).toMatchObject({ verdict: { stuck: true } });
  expect(decideAfterResend({ ...row, stuckMs: 1 }, refused, RULES).kind).toBe('wait');
});
