import { decideDwell, refuseReturn } from '../../src/modes/decide-dwell';
import { decidePromotion } from '../../src/modes/decide-promotion';
import { LoadMeter } from '../../src/modes/load-meter';
import { FakeClock } from '../../src/testing';

const DWELL = { returnAfterMs: 30_000, maxDwellMs: 600_000 };
const HOUR_MS = 3_600_000;

describe('decideDwell', () => {
  it('begins with the time that Redis has to be clean', () => {
    expect(decideDwell({ dwellMs: 0, ageMs: 1_000 }, DWELL)).toBe(30_000);
  });

  it('doubles with each relapse within ten minutes of the return, up to ten minutes', () => {
    const dwells: number[] = [];
    let dwellMs = 0;
    for (let relapse = 0; relapse < 7; relapse += 1) {
      dwellMs = decideDwell({ dwellMs, ageMs: 599_999 }, DWELL);
      dwells.push(dwellMs / 1_000);
    }
    expect(dwells).toEqual([30, 60, 120, 240, 480, 600, 600]);
  });

  it('begins anew when the return lasted for ten minutes', () => {
    expect(decideDwell({ dwellMs: 240_000, ageMs: 600_000 }, DWELL)).toBe(30_000);
  });
});

describe('refuseReturn', () => {
  const degraded = {
    mode: 'DEGRADED',
    pinned: false,
    returnTo: 'PERFORMANCE',
    ageMs: HOUR_MS,
    dwellMs: 30_000,
  } as const;

  it.each([
    ['may return once Redis was clean and the dwell is over', {}, 30_000, null],
    ['waits for the clean time', {}, 29_999, 'clean time'],
    ['waits while a probe fails', {}, null, 'failing'],
    ['waits for the dwell, by the clock of the database', { ageMs: 29_999 }, HOUR_MS, 'dwell'],
    ['obeys a pin', { pinned: true }, HOUR_MS, 'pinned'],
    ['has somewhere to go', { returnTo: null }, HOUR_MS, 'nowhere'],
    ['is about DEGRADED alone', { mode: 'RELIABLE' }, HOUR_MS, 'mode'],
  ] as const)('%s', (_, changed, cleanMs, refusal) => {
    expect(refuseReturn({ ...degraded, ...changed }, cleanMs, DWELL)).toBe(refusal);
  });
});

describe('decidePromotion', () => {
  const settings = { enabled: true, allocationsPerSecond: 100, sustainedMs: 60_000 };

  it.each([
    ['RELIABLE', 'DUAL_WRITE'],
    ['DUAL_WRITE', 'PERFORMANCE'],
    ['PERFORMANCE', null],
    ['DEGRADED', null],
    ['DRAIN', null],
  ] as const)('goes one step at a time: %s → %s', (mode, to) => {
    expect(decidePromotion({ mode, pinned: false }, 60_000, settings)).toBe(to);
  });

  it('leaves alone what an operator pinned, what is not enabled, and a load that is too short', () => {
    expect(decidePromotion({ mode: 'RELIABLE', pinned: true }, 60_000, settings)).toBeNull();
    expect(decidePromotion({ mode: 'RELIABLE', pinned: false }, 59_999, settings)).toBeNull();
    const disabled = { ...settings, enabled: false };
    expect(decidePromotion({ mode: 'RELIABLE', pinned: false }, 60_000, disabled)).toBeNull();
  });
});

describe('LoadMeter', () => {
  it('counts how long the load has lasted without a break', async () => {
    const clock = new FakeClock();
    const meter = new LoadMeter(clock, 10);
    const second = async (allocations: number): Promise<number> => {
      for (let count = 0; count < allocations; count += 1) meter.count();
      await clock.advance(1_000);
      return meter.busyMs();
    };
    expect([await second(10), await second(50), await second(9), await second(10)]).toEqual([
      1_000, 2_000, 0, 1_000,
    ]);
  });
});
