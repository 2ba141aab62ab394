import type { IntentPolicy } from '../../src/ports/fast-epoch-store.port';
import type { NonceEngine } from '../../src/ports/engine.port';
import { ChaosLoad } from '../fault/chaos/chaos-load';
import { Recorder, type ChaosMessage } from '../fault/chaos/recorder';
import type { Fact, SpokenFact } from '../fault/history/history';
import { waitFor } from '../support/wait-for';

export interface RecordedLoad {
  readonly name: string;
  readonly submitters: readonly string[];
  readonly callers: number;
  readonly intents: IntentPolicy;
  readonly ttlMs: number;
  readonly seed: number;
  /** Only declared holders; otherwise plain ones are among them. */
  readonly declaredOnly: boolean;
}

/** Longer than any fault of these tests: an engine that gives nothing for so long has stopped. */
const SERVED_TIMEOUT_MS = 15_000;

/** Callers of one engine in this process, and everything they asked, were told and sent. */
export class RecordedNode {
  private readonly messages: ChaosMessage[] = [];
  private readonly load: ChaosLoad;
  private work: Promise<void> = Promise.resolve();
  private granted = 0;

  constructor(
    private readonly plan: RecordedLoad,
    readonly engine: NonceEngine,
  ) {
    const recorder = new Recorder(plan.name, (message) => {
      this.messages.push(message);
      if (message.kind === 'fact' && message.fact.kind === 'allocated') this.granted += 1;
    });
    this.load = new ChaosLoad(plan, engine, recorder);
  }

  /** Every way a holder may end, until `finish`. */
  run(): void {
    this.work = this.load.run();
  }

  /** Takes everything that can be had and spends it, until `finish`. */
  sweep(): void {
    this.work = this.load.sweep();
  }

  async finish(): Promise<void> {
    this.load.finish();
    await this.work;
  }

  get grants(): number {
    return this.granted;
  }

  /**
   * Epochs of submitters that its callers were granted from after the first `grants` grants. An
   * operation that comes again is told of the epoch in which it came first.
   */
  epochsAfter(grants: number): ReadonlySet<string> {
    const told = this.facts.filter((fact) => fact.kind === 'allocated').slice(grants);
    const granted = told.filter(({ operation }) => operation === null);
    return new Set(granted.map(({ submitter, epoch }) => `${submitter} ${epoch}`));
  }

  get refusals(): readonly string[] {
    return this.messages.flatMap((message) => (message.kind === 'refused' ? [message.code] : []));
  }

  /** Resolves once `count` more allocations were answered than now. */
  async served(count: number): Promise<void> {
    const wanted = this.granted + count;
    await waitFor(() => this.granted >= wanted, {
      timeoutMs: SERVED_TIMEOUT_MS,
      describe: `${count} more grants of ${this.plan.name}; the last refusals: ${this.refusals.slice(-5).join()}`,
    });
  }

  /** What was asked and had no answer is unknown for ever. */
  get facts(): readonly Fact[] {
    const asked = new Map<number, SpokenFact>();
    const facts: Fact[] = [];
    for (const message of this.messages) {
      if (message.kind === 'fact') facts.push(message.fact);
      if (message.kind === 'asks') {
        asked.set(message.call, { ...message.fact, atUs: Infinity, answer: 'unknown' });
      }
      const fact = message.kind === 'hears' ? asked.get(message.call) : undefined;
      if (message.kind === 'hears' && fact !== undefined) {
        asked.set(message.call, { ...fact, atUs: message.atUs, answer: message.answer });
      }
    }
    return [...facts, ...asked.values()];
  }
}
