/**
 * `npm run chaos [-- --minutes N --seed S --switches N]`: first a world whose mode is switched at
 * random, then one world after the other, each with servers, nodes and workers of its own, broken at
 * random by a seeded plan. Every one is judged by its whole history.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { integerBetween, seededRandom } from '../seeded-random';
import { ChaosWorld, type ChaosSetting } from './chaos-world';
import { FAILOVER_FAULTS } from './failover-faults';
import type { Fault } from './fault';
import { POSTGRES_FAULTS } from './postgres-faults';
import {
  PROCESS_FAULTS,
  STEP_DEATHS,
  STEP_PAUSES,
  WORKER_DEATHS,
  WORKER_PAUSES,
} from './process-faults';
import { REDIS_FAULTS } from './redis-faults';
import { runChaos, type ChaosReport } from './run-chaos';
import { switchAtRandom } from '../switching/switch-at-random';

const FAULTS_PER_WORLD = 25;
const DEFAULT_MINUTES = 5;
const DEFAULT_SWITCHES = 1_000;
const MS_PER_MINUTE = 60_000;

interface Totals {
  worlds: number;
  struck: number;
  grants: number;
  readonly failures: { readonly seed: number; readonly report: ChaosReport }[];
}

interface Plan {
  readonly minutes: number;
  readonly seed: number;
  readonly switches: number;
}

function readPlan(): Plan {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string' },
      seed: { type: 'string' },
      switches: { type: 'string' },
    },
  });
  const minutes = Number(values.minutes ?? DEFAULT_MINUTES);
  const seed = Number(values.seed ?? randomInt(1_000_000));
  const switches = Number(values.switches ?? DEFAULT_SWITCHES);
  const isCount = Number.isSafeInteger(switches) && switches >= 0;
  if (!(minutes > 0) || !Number.isSafeInteger(seed) || !isCount) {
    throw new Error(
      'usage: npm run chaos [-- --minutes N --seed S --switches N], minutes above 0, the others integers',
    );
  }
  return { minutes, seed, switches };
}

/** The seed alone says what world it is and what happens to it. */
function settingOf(seed: number): ChaosSetting {
  const random = seededRandom(seed);
  return {
    seed,
    intents: random() < 0.5 ? 'strict' : 'relaxed',
    replica: random() < 0.25,
    chain: random() < 0.2,
    declaredOnly: random() < 0.2,
    nodes: 2,
    workers: integerBetween(random, 1, 2),
    submitters: integerBetween(random, 1, 4),
    callers: 6,
  };
}

function faultsOf({ seed, replica }: ChaosSetting): readonly Fault[] {
  const random = seededRandom(seed + 1);
  const any = [
    ...REDIS_FAULTS,
    ...POSTGRES_FAULTS,
    ...PROCESS_FAULTS,
    ...STEP_DEATHS,
    ...STEP_PAUSES,
    ...WORKER_DEATHS,
    ...WORKER_PAUSES,
  ];
  const choices = replica ? [...PROCESS_FAULTS, ...FAILOVER_FAULTS] : any;
  return Array.from({ length: FAULTS_PER_WORLD }, () => {
    const fault = choices[Math.floor(random() * choices.length)];
    if (fault === undefined) throw new Error('there are no faults');
    return fault;
  });
}

async function runWorld(seed: number, say: (line: string) => void): Promise<ChaosReport> {
  const setting = settingOf(seed);
  const world = await ChaosWorld.start(setting);
  try {
    return await runChaos(world, faultsOf(setting), (line) => {
      say(`seed ${seed} (${setting.intents}): ${line}`);
    });
  } finally {
    await world.stop();
  }
}

async function main(): Promise<void> {
  const { minutes, seed, switches } = readPlan();
  const totals: Totals = { worlds: 0, struck: 0, grants: 0, failures: [] };
  const say = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  const isSwitched = await switchAtRandom({ seed, switches }, say);
  const endMs = performance.now() + minutes * MS_PER_MINUTE;
  for (let next = seed; performance.now() < endMs; next += 1) {
    const report = await runWorld(next, say);
    totals.worlds += 1;
    totals.struck += report.struck.length;
    totals.grants += report.grants;
    if (report.violations.length > 0) totals.failures.push({ seed: next, report });
    const { worlds, struck, grants, failures } = totals;
    say(`${worlds} worlds, ${struck} faults, ${grants} grants, ${failures.length} failed`);
  }
  for (const { seed: failed, report } of totals.failures) {
    say(
      `\nseed ${failed} failed; repeat it with: npm run chaos -- --minutes 0.01 --switches 0 --seed ${failed}`,
    );
    say([...report.violations, report.stories].join('\n'));
  }
  process.exitCode = totals.failures.length === 0 && isSwitched ? 0 : 1;
}

void main();
