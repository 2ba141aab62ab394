import { runSwitching, type SwitchingReport } from './run-switching';
import { SwitchingWorld } from './switching-world';

const KILL_EVERY = 18;
const REDIS_EVERY = 45;

/** One long world of switches; false when a promise was broken. The seed picks the policy too. */
export async function switchAtRandom(
  { seed, switches }: { readonly seed: number; readonly switches: number },
  say: (line: string) => void,
): Promise<boolean> {
  if (switches === 0) return true;
  const intents = seed % 2 === 0 ? 'strict' : 'relaxed';
  const setting = { seed, intents, nodes: 3, submitters: 6, callers: 36 } as const;
  const world = await SwitchingWorld.start(setting);
  try {
    const plan = { switches, killEvery: KILL_EVERY, redisEvery: REDIS_EVERY };
    const report = await runSwitching(world, plan, (line) => {
      say(`seed ${seed} (${intents}): ${line}`);
    });
    say(summaryOf(report));
    if (report.violations.length > 0) say([...report.violations, report.stories].join('\n'));
    return report.violations.length === 0 && report.refusals.size === 0;
  } finally {
    await world.stop();
  }
}

function summaryOf({
  switches,
  kills,
  grants,
  perSecond,
  refusals,
  pauses,
}: SwitchingReport): string {
  const failed = [...refusals].map(([code, count]) => `${code} ${count}`).join(', ') || 'none';
  return [
    `${switches} switches, ${kills} kills, ${grants} grants (${Math.round(perSecond)} a second)`,
    `failed calls: ${failed}`,
    `callers met by a switch waited ${pauses.p50Ms} ms (p50), ${pauses.p99Ms} ms (p99)`,
  ].join('; ');
}
