import { setTimeout as pause } from 'node:timers/promises';
import type { Allocation } from '../../../src/domain/allocation';
import type { IntentPolicy } from '../../../src/ports/fast-epoch-store.port';
import type { NonceEngine } from '../../../src/ports/engine.port';
import { parseSubmitter, type Submitter } from '../../../src/domain/submitter';
import { integerBetween, seededRandom } from '../seeded-random';
import { HASHES_ONLY, transfersOn, type ChainPlan } from './bytes';
import { Holder } from './holder';
import { nowUs, type Recorder } from './recorder';

/** So that a run of a minute is some ten thousand grants and not a million, and leaves room for other tests. */
const THINK_MS = 25;
const BACK_OFF_MS = 40;
const OPERATIONS = 400;

export interface LoadPlan {
  readonly submitters: readonly string[];
  readonly callers: number;
  readonly intents: IntentPolicy;
  readonly ttlMs: number;
  readonly seed: number;
  /** Only declared holders; otherwise plain ones are among them. */
  readonly declaredOnly: boolean;
  /** Pause of a caller between two turns. */
  readonly thinkMs?: number;
  /** Where holders send; without it sending is a word in the history. */
  readonly chain?: ChainPlan | null;
}

/** Callers of one node that take nonces and end them in every way a holder may. */
export class ChaosLoad {
  private finishing = false;
  private readonly submitters: readonly Submitter[];
  private readonly random: () => number;
  private readonly holder: Holder;

  constructor(
    private readonly plan: LoadPlan,
    private readonly engine: Omit<NonceEngine, 'name'>,
    private readonly recorder: Recorder,
  ) {
    this.submitters = plan.submitters.map((text) => parseSubmitter(text));
    this.random = seededRandom(plan.seed);
    const bytes = plan.chain == null ? HASHES_ONLY : transfersOn(plan.chain);
    this.holder = new Holder({ engine, recorder, bytes, ttlMs: plan.ttlMs, random: this.random });
  }

  /** Every way a holder may end, until `finish`. */
  async run(): Promise<void> {
    await this.callers((submitter) => this.turn(submitter));
  }

  /** Takes everything that can be had and spends it, until `finish`: no nonce stays unused. */
  async sweep(): Promise<void> {
    await this.callers(async (submitter) => {
      const [grant] = await this.allocate(submitter, { exposure: 'declared' });
      if (grant !== undefined) await this.holder.spend(grant);
    });
  }

  finish(): void {
    this.finishing = true;
  }

  private async callers(turn: (submitter: Submitter) => Promise<void>): Promise<void> {
    const { submitters } = this;
    const numbers = Array.from({ length: this.plan.callers }, (_, caller) => caller);
    await Promise.all(
      numbers.map(async (caller) => {
        for (let round = 0; !this.finishing; round += 1) {
          const submitter = submitters[(caller + round) % submitters.length];
          if (submitter !== undefined) await turn(submitter);
          await pause(this.plan.thinkMs ?? THINK_MS);
        }
      }),
    );
  }

  private async turn(submitter: Submitter): Promise<void> {
    const dice = this.random();
    const plain = !this.plan.declaredOnly && dice < 0.4;
    const exposure = plain ? (dice < 0.2 ? 'inferred' : 'assumed') : 'declared';
    const named = !plain && dice > 0.85;
    const operation = named
      ? { operationId: `pay-${integerBetween(this.random, 1, OPERATIONS)}` }
      : {};
    const count = !named && dice > 0.75 && dice < 0.8 ? 3 : 1;
    const grants = await this.allocate(submitter, { exposure, count, ...operation });
    await Promise.all(
      grants.map((grant) => (plain ? this.holder.actPlain(grant) : this.holder.actDeclared(grant))),
    );
  }

  private async allocate(
    submitter: Submitter,
    wish: {
      readonly exposure: Allocation['exposure'];
      readonly count?: number;
      readonly operationId?: string;
    },
  ): Promise<readonly Allocation[]> {
    const askedUs = nowUs();
    try {
      const { allocations } = await this.engine.allocate({
        submitter,
        count: 1,
        ttlMs: this.plan.ttlMs,
        ...wish,
      });
      this.recorder.allocated(allocations, askedUs);
      return allocations;
    } catch (error) {
      this.recorder.refused(error);
      await pause(BACK_OFF_MS);
      return [];
    }
  }
}
