import { SEED } from './chaos/survive';
import { runSwitching, type SwitchingPlan, type SwitchingReport } from './switching/run-switching';
import { SwitchingWorld, type SwitchingWorldSetting } from './switching/switching-world';

/** Twice, and twice 20 with a Redis that is lost: 210 in all. */
const SWITCHES = 85;
/**
 * Callers wait, but not for long. What is long, and how many they are, is measured by
 * `npm run bench -- mode-switch` on a quiet machine; here other tests use it as well.
 */
const ADDED_PAUSE_MS = 2_000;
const UNDER_LOAD_PER_SECOND = 100;
const TIMEOUT_MS = 240_000;

const SETTING: SwitchingWorldSetting = {
  seed: SEED,
  intents: 'strict',
  nodes: 3,
  submitters: 6,
  callers: 36,
};

async function prove(
  setting: Partial<SwitchingWorldSetting>,
  plan: SwitchingPlan,
): Promise<SwitchingReport> {
  const world = await SwitchingWorld.start({ ...SETTING, ...setting });
  try {
    const report = await runSwitching(world, plan);
    if (report.violations.length > 0) {
      throw new Error(
        [`seed ${SEED}`, ...report.violations, report.stories, ...world.warnings()].join('\n'),
      );
    }
    if (report.refusals.size > 0) process.stdout.write(`${world.warnings().join('\n')}\n`);
    process.stdout.write(
      `switching, ${setting.intents ?? 'strict'}: ${JSON.stringify({ ...report, refusals: [...report.refusals] })}\n`,
    );
    return report;
  } finally {
    await world.stop();
  }
}

describe(`switching at random under load from three processes (seed ${SEED})`, () => {
  it.each([
    { intents: 'strict', plan: { switches: SWITCHES, killEvery: 18, redisEvery: 0 } },
    { intents: 'relaxed', plan: { switches: SWITCHES, killEvery: 18, redisEvery: 0 } },
  ] as const)(
    'S1, S8, S9, S12, H-15: $intents: no duplicate, no gap, no failed call, no live holder fenced',
    async ({ intents, plan }) => {
      const report = await prove({ intents }, plan);
      expect(report.switches).toBe(SWITCHES);
      expect(report.kills).toBeGreaterThanOrEqual(5);
      expect([...report.refusals, ...report.reasons]).toEqual([]);
      expect(report.perSecond).toBeGreaterThanOrEqual(UNDER_LOAD_PER_SECOND);
      const { p99Ms, quietP99Ms } = report.pauses;
      expect(p99Ms - quietP99Ms).toBeLessThanOrEqual(ADDED_PAUSE_MS);
    },
    TIMEOUT_MS,
  );

  it.each(['strict', 'relaxed'] as const)(
    'S8, L11: %s: Redis killed again and again meanwhile costs no nonce and fails no call',
    async (intents) => {
      const plan = { switches: 20, killEvery: 0, redisEvery: 6 };
      const report = await prove({ intents }, plan);
      expect(report.kills).toBeGreaterThanOrEqual(3);
      expect([...report.refusals, ...report.reasons]).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
