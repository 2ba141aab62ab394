import { waitFor } from '../../support/wait-for';
import { checkChainGaps } from '../history/check-ending';
import { checkHistory } from '../history/check-history';
import { tellStories } from '../history/tell-stories';
import { seededRandom } from '../seeded-random';
import { QUARANTINE_MS, TTL_MS, type ChaosWorld } from './chaos-world';
import { countGaps, readEnding } from './ending';
import { mineEverything } from './mined';
import type { Fault } from './fault';

/** Both nodes have come through a fault when each has answered as many more callers. */
const SERVED_AFTER = 5;
/** A fault that finds nothing to strike at waits for the next moment, this often. */
const MOMENTS = 5;
const SWEEP_TIMEOUT_MS = 20_000;
/** By then every deadline and every quarantine of the dead is over. */
const COMES_BACK_MS = 1.5 * TTL_MS + QUARANTINE_MS + 500;
const SWEEP_ROUNDS = 3;

export interface ChaosReport {
  /** Faults that really struck, in order. */
  readonly struck: readonly string[];
  readonly missed: readonly string[];
  readonly grants: number;
  /** Transactions that the chain has executed. */
  readonly mined: number;
  readonly violations: readonly string[];
  /** The whole story of the nonces that the violations name. */
  readonly stories: string;
}

/**
 * Lets one fault after the other strike a world under load, waits each time until every node serves
 * again, brings everything to rest, and judges the whole history.
 */
export async function runChaos(
  world: ChaosWorld,
  faults: Iterable<Fault>,
  log: (line: string) => void = () => undefined,
): Promise<ChaosReport> {
  const random = seededRandom(world.setting.seed);
  const struck: string[] = [];
  const missed: string[] = [];
  const stalled: string[] = [];
  for (const fault of faults) {
    const startedMs = performance.now();
    if (fault.losesMemory === true) world.memoryLost = true;
    const hit = await strikeOnce(fault, world, random).catch((error: unknown) => {
      stalled.push(`L5, L11: before "${fault.name}" no more was served: ${String(error)}`);
      return false;
    });
    (hit ? struck : missed).push(fault.name);
    await world.served(SERVED_AFTER).catch((error: unknown) => {
      stalled.push(`L5, L11: after "${fault.name}" no more was served: ${String(error)}`);
    });
    const tookMs = Math.round(performance.now() - startedMs);
    log(`${hit ? 'struck' : 'missed'} ${fault.name} (${tookMs} ms)`);
    if (stalled.length > 0) break;
  }
  const unrest = await comeToRest(world);
  if (world.chain !== null) world.facts.push(...(await mineEverything(world, world.chain)));
  return { ...(await judge(world, [...stalled, ...unrest])), struck, missed };
}

/** Waits for another moment when the one was not there: a key that is gone, a step nobody takes. */
async function strikeOnce(
  fault: Fault,
  world: ChaosWorld,
  random: ReturnType<typeof seededRandom>,
): Promise<boolean> {
  for (let moment = 1; moment <= MOMENTS; moment += 1) {
    if (await fault.strike(world, random)) return true;
    await world.served(SERVED_AFTER);
  }
  return false;
}

/** Ends the load, spends what is left, and waits until Postgres knows everything. */
async function comeToRest(world: ChaosWorld): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { node } of world.seats) {
    await node.finish().catch(async (error: unknown) => {
      found.push(`L5: ${String(error)}`);
      await node.kill();
    });
  }
  for (let round = 0; round < SWEEP_ROUNDS; round += 1) {
    await sweep(world);
    await world.drained().catch((error: unknown) => {
      found.push(`L4: ${String(error)}`);
    });
    if ((await countGaps(world.pool, world.submitters)) === 0) return found;
  }
  const gaps = await countGaps(world.pool, world.submitters);
  return [...found, `L1, S12: ${gaps} nonces below the counter cannot be had any more`];
}

/** Spends until nothing is left but what the sweeper itself holds. */
async function sweep(world: ChaosWorld): Promise<void> {
  const sweeper = await world.openNode();
  const startedMs = performance.now();
  sweeper.sweep();
  const { callers } = world.setting;
  await waitFor(
    async () =>
      performance.now() - startedMs > COMES_BACK_MS &&
      (await countGaps(world.pool, world.submitters)) <= callers,
    { timeoutMs: SWEEP_TIMEOUT_MS, everyMs: 200, describe: 'all nonces to be spent' },
  ).catch(() => undefined);
  await sweeper.finish();
}

async function judge(
  world: ChaosWorld,
  unrest: readonly string[],
): Promise<Pick<ChaosReport, 'grants' | 'mined' | 'violations' | 'stories'>> {
  const history = world.history();
  const starts = new Map(world.submitters.map((submitter) => [submitter, 0]));
  const ending = await readEnding(world.pool, starts);
  const { intents } = world.setting;
  const rules = { intents, memoryLost: world.memoryLost };
  const violations = [
    ...unrest,
    ...checkHistory(history, ending, rules),
    ...(world.chain === null ? [] : checkChainGaps(history, ending)),
  ];
  return {
    grants: history.filter((fact) => fact.kind === 'allocated').length,
    mined: history.filter((fact) => fact.kind === 'mined').length,
    violations,
    stories: tellStories(violations, history, ending),
  };
}
