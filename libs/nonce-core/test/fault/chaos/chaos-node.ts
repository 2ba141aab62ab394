import { join } from 'node:path';
import type { EngineMode } from '../../../src/domain/engine-mode';
import { NodeProcess } from '../../support/node-process';
import { waitFor } from '../../support/wait-for';
import type { Fact, SpokenFact } from '../history/history';
import type { PerformanceCommand, PerformanceOrder } from '../nodes/performance-node';
import type { SwitchingCommand, SwitchingOrder } from '../nodes/switching-node';
import { nowUs, type ChaosMessage } from './recorder';
import type { HaltOrder } from './step-gate';

/** A node of the performance engine alone, or a whole module that follows the mode. */
const SCRIPTS = {
  performance: join(__dirname, '../nodes/performance-node.ts'),
  switching: join(__dirname, '../nodes/switching-node.ts'),
} as const;
const READY_TIMEOUT_MS = 60_000;
/** Callers in the middle of something wait for a few seconds at most. */
const FINISH_TIMEOUT_MS = 15_000;
/** Longer than any fault lasts: an engine that gives no nonce for so long has stopped for good. */
const SERVED_TIMEOUT_MS = 15_000;

/** One process of the engine, seen from the test: what it reported, and when it died. */
export class ChaosNode {
  readonly process: NodeProcess<ChaosMessage>;
  private diedUs: number | null = null;
  name = '';
  private counted = 0;
  private haltsBefore = 0;
  private granted = 0;
  private looked = 0;
  private readonly answers: (number | string)[] = [];

  constructor(kind: keyof typeof SCRIPTS = 'performance') {
    this.process = NodeProcess.start<ChaosMessage>(SCRIPTS[kind]);
  }

  async prepare(order: PerformanceOrder | SwitchingOrder): Promise<void> {
    this.name = order.name;
    this.process.send({ kind: 'order', order });
    await this.reported('ready', READY_TIMEOUT_MS);
  }

  run(): void {
    this.tell({ kind: 'run' });
  }

  /** Spends whatever can be had, so that what cannot be had becomes visible. */
  sweep(): void {
    this.tell({ kind: 'sweep' });
  }

  halt(halt: HaltOrder): void {
    this.haltsBefore = this.halts;
    this.tell({ kind: 'halt', halt });
  }

  /** Resolves with the new epoch, or with the code of the refusal. */
  async switchTo(to: EngineMode): Promise<number | string> {
    const before = this.switches.length;
    this.tell({ kind: 'switch', to });
    await waitFor(() => this.switches.length > before, {
      timeoutMs: FINISH_TIMEOUT_MS,
      everyMs: 1,
      describe: `the switch to ${to} by ${this.name}\n${this.process.output}`,
    });
    return this.switches[before] ?? 'none';
  }

  private get switches(): readonly (number | string)[] {
    const { messages } = this.process;
    for (; this.looked < messages.length; this.looked += 1) {
      const message = messages[this.looked];
      if (message?.kind === 'switched') this.answers.push(message.answer);
    }
    return this.answers;
  }

  /** Ends the load, waits for its last answers and for the process. */
  async finish(): Promise<void> {
    await this.rest();
    await this.process.kill();
  }

  /** Ends the load and waits for its last answers; the process goes on with its other work. */
  async rest(): Promise<void> {
    this.tell({ kind: 'finish' });
    await this.reported('finished', FINISH_TIMEOUT_MS);
  }

  async kill(): Promise<void> {
    await this.process.kill();
    this.diedUs = nowUs();
  }

  /** Resolves when it has stopped itself at a step; false when it never came there in time. */
  async halted(timeoutMs: number): Promise<boolean> {
    const halted = (): boolean => this.halts > this.haltsBefore;
    return waitFor(halted, { timeoutMs, describe: 'the step' }).then(
      () => true,
      () => false,
    );
  }

  private get halts(): number {
    return this.process.messages.filter(({ kind }) => kind === 'halts').length;
  }

  get grants(): number {
    const { messages } = this.process;
    for (; this.counted < messages.length; this.counted += 1) {
      const message = messages[this.counted];
      if (message?.kind === 'fact' && message.fact.kind === 'allocated') this.granted += 1;
    }
    return this.granted;
  }

  /** What callers were refused for, each with the code. */
  get reasons(): readonly string[] {
    return this.process.messages.flatMap((message) =>
      message.kind === 'refused' ? [`${this.name}: ${message.code} ${message.why}`] : [],
    );
  }

  /** Refusals by their code. */
  get refusals(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const message of this.process.messages) {
      if (message.kind !== 'refused') continue;
      counts.set(message.code, (counts.get(message.code) ?? 0) + 1);
    }
    return counts;
  }

  /** Resolves once `count` more allocations were answered than now. */
  async served(count: number): Promise<void> {
    const wanted = this.grants + count;
    await waitFor(() => this.grants >= wanted, {
      timeoutMs: SERVED_TIMEOUT_MS,
      everyMs: 20,
      describe: `${count} more grants of ${this.name}, which was refused ${JSON.stringify([...this.refusals])}\n${this.process.output}`,
    });
  }

  /** Everything its callers asked, were told and sent; what had no answer is unknown for ever. */
  get facts(): readonly Fact[] {
    const asked = new Map<number, Fact & { kind: 'spoken' }>();
    const facts: Fact[] = [];
    for (const message of this.process.messages) {
      if (message.kind === 'fact') facts.push(message.fact);
      if (message.kind === 'asks') {
        asked.set(message.call, { ...message.fact, atUs: Infinity, answer: 'unknown' });
      }
      if (message.kind === 'hears') {
        const fact = asked.get(message.call);
        if (fact === undefined) continue;
        const told: SpokenFact = { ...fact, atUs: message.atUs, answer: message.answer };
        asked.set(message.call, told);
      }
    }
    if (this.diedUs !== null) facts.push({ kind: 'died', node: this.name, atUs: this.diedUs });
    return [...facts, ...asked.values()];
  }

  private async reported(kind: 'ready' | 'finished', timeoutMs: number): Promise<void> {
    await waitFor(() => this.process.messages.some((message) => message.kind === kind), {
      timeoutMs,
      describe: `${kind} of ${this.name} (${this.process.pid})\n${this.process.output}`,
    });
  }

  private tell(command: PerformanceCommand | SwitchingCommand): void {
    this.process.send(command);
  }
}
