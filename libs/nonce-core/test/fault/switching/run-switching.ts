import { modesAfter } from '../../../src/domain/engine-mode';
import { waitFor } from '../../support/wait-for';
import type { ChaosNode } from '../chaos/chaos-node';
import { countGaps, readEnding } from '../chaos/ending';
import { nowUs } from '../chaos/recorder';
import { checkHistory } from '../history/check-history';
import { tellStories } from '../history/tell-stories';
import { seededRandom } from '../seeded-random';
import { checkLiveHolders } from './check-live-holders';
import { measurePauses, type Pauses, type SwitchSpan } from './measure-pauses';
import { QUARANTINE_MS, TTL_MS, type SwitchingWorld } from './switching-world';

export interface SwitchingPlan {
  readonly switches: number;
  /** A process is killed at every so many switches, every other time in the middle of one; 0 = never. */
  readonly killEvery: number;
  /** Redis is killed and started again at every so many switches; 0 = never. */
  readonly redisEvery: number;
}

export interface SwitchingReport {
  readonly switches: number;
  readonly kills: number;
  readonly grants: number;
  readonly perSecond: number;
  /** Refused calls by code; those of killed processes have no answer. */
  readonly refusals: ReadonlyMap<string, number>;
  /** Why calls were refused that should not have been; the first ten. */
  readonly reasons: readonly string[];
  readonly pauses: Pauses;
  readonly violations: readonly string[];
  readonly stories: string;
}

/** Refusals by which a switch is not made: somebody was faster, or a check says not now. */
const NOT_NOW = new Set([
  'NONCE_PRECONDITION',
  'NONCE_MODE_PREFLIGHT_FAILED',
  'NONCE_STORE_UNAVAILABLE',
]);
/** True answers about operations that were sent before; nothing failed. */
const ANSWERS = new Set(['NONCE_OUTCOME_UNKNOWN']);
const SERVED_BETWEEN = 3;
/** Of each node before the first switch, to compare with. */
const QUIET_GRANTS = 500;
/** By then every deadline and every quarantine of the dead is over. */
const COMES_BACK_MS = 1.5 * TTL_MS + QUARANTINE_MS + 500;
/** Callers that spend what is left. */
const SWEEPERS = 8;
/** What was waiting for its release while the last ones looked comes with the next ones. */
const SWEEP_ROUNDS = 3;
const SWEEP_TIMEOUT_MS = 30_000;
const MS_PER_SECOND = 1_000;
const REASONS_MAX = 10;

/** Switches at random under load, with crashes, brings everything to rest and judges the history. */
export async function runSwitching(
  world: SwitchingWorld,
  plan: SwitchingPlan,
  log: (line: string) => void = () => undefined,
): Promise<SwitchingReport> {
  const run = new SwitchingRun(world, plan, log);
  const startedMs = performance.now();
  const stalled = await run.switches();
  const seconds = (performance.now() - startedMs) / MS_PER_SECOND;
  const perSecond = world.grants / seconds;
  const unrest = await comeToRest(world);
  const history = world.history();
  const starts = new Map(world.submitters.map((submitter) => [submitter, 0]));
  const ending = await readEnding(world.pool, starts);
  const memoryLost = plan.redisEvery > 0;
  const { intents } = world.setting;
  const violations = [
    ...stalled,
    ...unrest,
    ...checkHistory(history, ending, { intents, memoryLost }),
    ...(memoryLost ? [] : checkLiveHolders(history)),
  ];
  return {
    ...{ switches: run.spans.length, kills: run.kills },
    ...{ grants: world.grants, perSecond, refusals: failuresOf(world) },
    reasons: reasonsOf(world),
    pauses: measurePauses(history, run.spans),
    violations,
    stories: [
      tellStories(violations, history, ending),
      ...(await recordsOf(world, violations)),
    ].join('\n'),
  };
}

/** What Postgres keeps of the epochs and of the nonces that violations name. */
async function recordsOf(
  { pool, submitters }: SwitchingWorld,
  violations: readonly string[],
): Promise<readonly string[]> {
  const text = violations.join();
  const named = submitters.filter((each) => text.includes(each));
  const nonces = [...text.matchAll(/of nonce (\d+)/g)].map(([, nonce]) => Number(nonce));
  const queries = [
    'SELECT * FROM epoch_log WHERE submitter = ANY ($1) AND $2::bigint[] IS NOT NULL ORDER BY submitter, epoch',
    'SELECT * FROM allocation_grant WHERE submitter = ANY ($1) AND nonce = ANY ($2) ORDER BY granted_at',
    'SELECT * FROM submitter_nonce_allocation WHERE submitter = ANY ($1) AND nonce = ANY ($2)',
  ];
  const found = await Promise.all(
    queries.map((query) => pool.query<Record<string, unknown>>(query, [named, nonces])),
  );
  return found.flatMap(({ rows }) => rows.map((row) => JSON.stringify(row)));
}

class SwitchingRun {
  /** Switches made by order while no process was being killed. */
  readonly spans: SwitchSpan[] = [];
  kills = 0;
  private readonly random: () => number;

  constructor(
    private readonly world: SwitchingWorld,
    private readonly plan: SwitchingPlan,
    private readonly log: (line: string) => void,
  ) {
    this.random = seededRandom(world.setting.seed);
  }

  /** Returns why it ended early; nothing when it did not. */
  async switches(): Promise<readonly string[]> {
    const { killEvery, redisEvery, switches } = this.plan;
    await this.world.served(QUIET_GRANTS);
    for (let turn = 1; this.spans.length < switches; turn += 1) {
      try {
        if (killEvery > 0 && turn % killEvery === 0) await this.crash(turn / killEvery);
        else if (redisEvery > 0 && turn % redisEvery === 0) await this.loseRedis();
        else await this.switchOnce();
        await this.world.served(SERVED_BETWEEN);
      } catch (error) {
        return [`L5, L11: after ${this.spans.length} switches: ${String(error)}`];
      }
    }
    return [];
  }

  private async switchOnce(): Promise<void> {
    const { world } = this;
    const from = await world.mode();
    const to = this.anyOf(modesAfter(from));
    const fromUs = nowUs();
    const answer = await this.anyOf(world.nodes).switchTo(to);
    if (typeof answer === 'number') {
      this.spans.push({ edge: `${from} -> ${to}`, fromUs, toUs: nowUs() });
      if (this.spans.length % 50 === 0) this.log(`${this.spans.length} switches`);
    } else if (!NOT_NOW.has(answer)) {
      throw new Error(`${from} was not left for ${to}: ${answer}`);
    }
  }

  /** Every other time while the process is busy with a switch. */
  private async crash(nth: number): Promise<void> {
    const { world } = this;
    const next = await world.openNode();
    const place = Math.floor(this.random() * world.nodes.length);
    if (nth % 2 === 1) {
      const to = this.anyOf(modesAfter(await world.mode()));
      // What a process answered that is dead by now interests nobody.
      world.nodes[place]?.switchTo(to).catch(() => undefined);
    }
    await world.replace(place, next);
    this.kills += 1;
  }

  private async loseRedis(): Promise<void> {
    await this.world.redis.kill();
    await this.world.served(SERVED_BETWEEN);
    await this.world.redis.restart();
    this.kills += 1;
  }

  private anyOf<T>(choices: readonly T[]): T {
    const chosen = choices[Math.floor(this.random() * choices.length)];
    if (chosen === undefined) throw new Error('nothing to choose from');
    return chosen;
  }
}

function failuresOf(world: SwitchingWorld): ReadonlyMap<string, number> {
  return new Map([...world.refusals()].filter(([code]) => !ANSWERS.has(code)));
}

function reasonsOf(world: SwitchingWorld): readonly string[] {
  const isAnswer = (reason: string) => [...ANSWERS].some((code) => reason.includes(code));
  return world
    .reasons()
    .filter((reason) => !isAnswer(reason))
    .slice(0, REASONS_MAX);
}

/** Ends the load, spends what is left by processes that came after it all, and waits for Postgres. */
async function comeToRest(world: SwitchingWorld): Promise<readonly string[]> {
  const found: string[] = [];
  const note = (id: string) => (error: unknown) => {
    found.push(`${id}: ${String(error)}`);
  };
  // The first of them flushes what the holders have said last.
  let sweeper = await world.openNode(SWEEPERS);
  for (const node of world.nodes) {
    await node.finish().catch(note('L5'));
    await node.kill();
  }
  if ((await world.mode()) !== 'RELIABLE') await sweeper.switchTo('RELIABLE');
  for (let round = 0; ; round += 1) {
    await sweep(world, sweeper);
    await world.atRest().catch(note('L4'));
    await sweeper.kill();
    const gaps = await countGaps(world.pool, world.submitters);
    if (gaps === 0) return found;
    if (round === SWEEP_ROUNDS) {
      return [...found, `L1, S12: ${gaps} nonces below the counter cannot be had any more`];
    }
    sweeper = await world.openNode(SWEEPERS);
  }
}

/** Spends until nothing is left but what the sweepers themselves hold. */
async function sweep(world: SwitchingWorld, sweeper: ChaosNode): Promise<void> {
  sweeper.sweep();
  const startedMs = performance.now();
  await waitFor(
    async () =>
      performance.now() - startedMs > COMES_BACK_MS &&
      (await countGaps(world.pool, world.submitters)) <= SWEEPERS,
    { timeoutMs: SWEEP_TIMEOUT_MS, everyMs: 200, describe: 'all nonces to be spent' },
  ).catch(() => undefined);
  await sweeper.rest();
}
