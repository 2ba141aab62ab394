import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { LoadPlan } from './generate-load';
import type { NodeSettings } from './open-nonces';
import type { CallRecord, PacePlan } from './paced-load';
import type { Sample } from './statistics';

export interface LoadNodeSettings extends Omit<NodeSettings, 'chain'> {
  /** Calls are spread evenly over this many submitters. */
  readonly submitters: number;
}

/** What a node is told by the program that started it. */
export type NodeOrder =
  | { readonly kind: 'load'; readonly plan: LoadPlan }
  | { readonly kind: 'pace'; readonly plan: PacePlan }
  | { readonly kind: 'stop' };

/** What it says to that program. */
export type NodeMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'sample'; readonly sample: Sample }
  | { readonly kind: 'records'; readonly records: readonly CallRecord[] };

const PROGRAM = join(__dirname, '../bench-node/main.js');

/** A process of its own that allocates when told to. It ends when the channel to it closes. */
export class LoadNode {
  private constructor(private readonly child: ChildProcess) {}

  static async start(settings: LoadNodeSettings): Promise<LoadNode> {
    const node = new LoadNode(fork(PROGRAM, [JSON.stringify(settings)], { execArgv: [] }));
    await node.next('ready');
    return node;
  }

  async run(plan: LoadPlan): Promise<Sample> {
    const answer = this.next('sample');
    this.tell({ kind: 'load', plan });
    return (await answer).sample;
  }

  /** Lets callers come until `stopPace`. */
  pace(plan: PacePlan): void {
    this.tell({ kind: 'pace', plan });
  }

  /** @returns what they met, once the last of them was answered. */
  async stopPace(): Promise<readonly CallRecord[]> {
    const answer = this.next('records');
    this.tell({ kind: 'stop' });
    return (await answer).records;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const exited = once(this.child, 'exit');
    if (this.child.connected) this.child.disconnect();
    await exited;
  }

  private tell(order: NodeOrder): void {
    this.child.send(order);
  }

  /** @throws Error when the node ends instead of answering. */
  private next<Kind extends NodeMessage['kind']>(
    kind: Kind,
  ): Promise<Extract<NodeMessage, { kind: Kind }>> {
    return new Promise((resolve, reject) => {
      const ended = (code: number | null): void => {
        reject(new Error(`a load node ended with code ${String(code)}`));
      };
      this.child.once('exit', ended);
      this.child.once('message', (message: NodeMessage) => {
        this.child.off('exit', ended);
        if (message.kind === kind) resolve(message as Extract<NodeMessage, { kind: Kind }>);
        else reject(new Error(`a load node said ${message.kind} instead of ${kind}`));
      });
    });
  }
}
