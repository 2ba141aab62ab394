import type { ServerStart, WitnessedFacts } from '../../src/domain/witness';
import type { RecordedStart, ServerFacts } from '../../src/ports/continuity-store.port';
import { decideContinuity, findLoss } from '../../src/recovery/decide-continuity';

const RUN: ServerStart = { systemId: '7', startedAt: '2000', timeline: '00000001', lsn: '900' };
const EARLIER: ServerStart = { ...RUN, startedAt: '1000', lsn: '500' };
const EMPTY: WitnessedFacts = { server: null, witnesses: [] };
const KNOWING: WitnessedFacts = { server: EARLIER, witnesses: [] };

const recorded = (run: ServerStart): RecordedStart => ({
  ...run,
  how: 'witnessed',
  verifiedBy: 'continuity',
});

function factsOf(overrides: Partial<ServerFacts> = {}): ServerFacts {
  return { server: RUN, startLsn: '500', recorded: [], allocations: true, ...overrides };
}

describe('a run of the database that nobody has vouched for (H-10)', () => {
  it.each([
    ['is used where a witness can be read', factsOf(), [KNOWING, null], 'record'],
    ['is used at the first boot', factsOf({ allocations: false }), [EMPTY], 'record'],
    ['is used at the first boot without witnesses', factsOf({ allocations: false }), [], 'record'],
    ['is held where no witness can be read', factsOf(), [null, null], 'hold'],
    ['is held where the witnesses know nothing', factsOf(), [EMPTY, EMPTY], 'hold'],
    ['is held where there is no witness', factsOf(), [], 'hold'],
  ] as const)('%s', (_, facts, places, kind) => {
    expect(decideContinuity(facts, places).kind).toBe(kind);
  });

  it('is used once anybody has vouched for it, whatever the witnesses say', () => {
    const facts = factsOf({ recorded: [recorded(RUN)] });
    expect(decideContinuity(facts, [null])).toEqual({ kind: 'recorded' });
  });
});

describe('a loss of commits', () => {
  const known = { recorded: [recorded(EARLIER)] };

  it('is not seen where the next run begins at or after what was witnessed', () => {
    expect(findLoss(factsOf(known), null)).toBeNull();
    expect(findLoss(factsOf(known), RUN)).toBeNull();
    expect(findLoss(factsOf(known), EARLIER)).toBeNull();
    expect(findLoss(factsOf({ ...known, startLsn: '501' }), EARLIER)).toBeNull();
  });

  it.each([
    ['the log begins before what was witnessed', factsOf({ ...known, startLsn: '499' })],
    ['the witnessed run is not known', factsOf()],
    ['the run goes on another timeline', factsOf({ ...known, server: { ...RUN, timeline: '2' } })],
    ['it is another cluster', factsOf({ ...known, server: { ...RUN, systemId: '8' } })],
  ])('is seen where %s', (_, facts) => {
    expect(findLoss(facts, EARLIER)).toMatchObject({ lostAt: '2000' });
  });

  it('is dated by the run that followed the witnessed one, not by the present', () => {
    const between: ServerStart = { ...RUN, startedAt: '1500', lsn: '400' };
    const runs = [recorded(RUN), recorded(between), recorded(EARLIER)];
    const facts = factsOf({ recorded: runs, startLsn: '900' });
    expect(findLoss(facts, EARLIER)).toMatchObject({ lostAt: '1500' });
    const whole = [recorded(RUN), recorded({ ...between, lsn: '600' }), recorded(EARLIER)];
    expect(findLoss(factsOf({ recorded: whole, startLsn: '100' }), EARLIER)).toBeNull();
  });
});
