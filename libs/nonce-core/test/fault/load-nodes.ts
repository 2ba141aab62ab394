import { join } from 'node:path';
import { NodeProcess } from '../support/node-process';
import { waitFor } from '../support/wait-for';
import type { LoadCommand, LoadMessage, LoadOrder } from './nodes/load-node';

const SCRIPT = join(__dirname, 'nodes/load-node.ts');
const ORDER_TIMEOUT_MS = 60_000;

export type Granted = Extract<LoadMessage, { kind: 'granted' }>;

/** One process under load, and what it reported. */
export class LoadNode {
  readonly process = NodeProcess.start<LoadMessage>(SCRIPT);
  private order = 0;

  /** Opens the node; the load begins with `go`. */
  async prepare(order: Omit<LoadOrder, 'order'>): Promise<void> {
    this.order += 1;
    this.tell({ kind: 'order', order: { ...order, order: this.order } });
    await this.reported('ready');
  }

  go(): void {
    this.tell({ kind: 'go' });
  }

  finish(): void {
    this.tell({ kind: 'finish' });
  }

  /** Resolves when the load has ended by itself or after `finish`. */
  async finished(): Promise<void> {
    await this.reported('finished');
  }

  get grants(): readonly Granted[] {
    return this.current().filter((message) => message.kind === 'granted');
  }

  get endedIds(): readonly string[] {
    return this.current().flatMap((message) => (message.kind === 'ended' ? [message.id] : []));
  }

  get refusals(): readonly string[] {
    return this.current().flatMap((message) => (message.kind === 'refused' ? [message.code] : []));
  }

  /** Resolves once `count` more grants were acknowledged than now. */
  async moreGrants(count: number): Promise<void> {
    const wanted = this.grants.length + count;
    await waitFor(() => this.grants.length >= wanted, {
      timeoutMs: ORDER_TIMEOUT_MS,
      describe: `${count} more grants of process ${this.process.pid}\n${this.process.output}`,
    });
  }

  private current(): readonly LoadMessage[] {
    return this.process.messages.filter((message) => message.order === this.order);
  }

  private async reported(kind: 'ready' | 'finished'): Promise<void> {
    const ended = this.process.ended.then((end) => {
      throw new Error(`it ended (${JSON.stringify(end)}) before ${kind}: ${this.process.output}`);
    });
    const arrived = waitFor(() => this.current().some((message) => message.kind === kind), {
      timeoutMs: ORDER_TIMEOUT_MS,
      describe: `${kind} of process ${this.process.pid}\n${this.process.output}`,
    });
    await Promise.race([ended, arrived]);
  }

  private tell(command: LoadCommand): void {
    this.process.send(command);
  }
}

/** Lets all nodes begin at the same moment and waits until all have ended. */
export async function runAll(
  nodes: readonly LoadNode[],
  orderOf: (index: number) => Omit<LoadOrder, 'order'>,
): Promise<void> {
  await Promise.all(nodes.map((node, index) => node.prepare(orderOf(index))));
  for (const node of nodes) node.go();
  await Promise.all(nodes.map((node) => node.finished()));
}
