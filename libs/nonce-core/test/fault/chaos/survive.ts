import { ChaosWorld, type ChaosSetting } from './chaos-world';
import type { Fault } from './fault';
import { runChaos, type ChaosReport } from './run-chaos';

/** Change it to look at other moments; what happens follows from it as far as processes allow. */
export const SEED = 20_261_123;

/** Starting servers and processes, each fault, and coming to rest. */
export const WORLD_TIMEOUT_MS = 150_000;

const USUAL: ChaosSetting = {
  seed: SEED,
  intents: 'strict',
  nodes: 2,
  workers: 1,
  submitters: 2,
  callers: 6,
  declaredOnly: false,
  replica: false,
  chain: false,
};

/**
 * Lets these faults strike a world of its own; all of them have to, or the test shows less than it
 * says. Fails with every broken promise and the story of the nonces concerned.
 */
export async function survive(
  faults: readonly Fault[],
  setting: Partial<ChaosSetting> = {},
): Promise<ChaosReport> {
  const world = await ChaosWorld.start({ ...USUAL, ...setting });
  try {
    const lines: string[] = [];
    const report = await runChaos(world, faults, (line) => lines.push(line));
    if (report.violations.length > 0 || report.missed.length > 0) {
      const missed = report.missed.map((name) => `never struck: ${name}`);
      const told = [...report.violations, ...missed, report.stories, ...lines];
      throw new Error([`seed ${world.setting.seed}`, ...told].join('\n'));
    }
    return report;
  } finally {
    await world.stop();
  }
}
