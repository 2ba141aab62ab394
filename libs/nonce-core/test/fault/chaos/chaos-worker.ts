import { join } from 'node:path';
import { NodeProcess } from '../../support/node-process';
import { waitFor } from '../../support/wait-for';
import type { FlushCommand } from '../nodes/flush-node';
import type { FlushSetting } from '../nodes/open-performance';
import type { ChaosMessage } from './recorder';
import type { HaltOrder } from './step-gate';

const SCRIPT = join(__dirname, '../nodes/flush-node.ts');
const READY_TIMEOUT_MS = 60_000;

/** One process that carries events to Postgres. */
export class ChaosWorker {
  readonly process = NodeProcess.start<ChaosMessage>(SCRIPT);
  private haltsBefore = 0;

  async prepare(setting: FlushSetting): Promise<void> {
    this.tell({ kind: 'order', setting });
    await this.reported('ready', READY_TIMEOUT_MS);
  }

  halt(halt: HaltOrder): void {
    this.haltsBefore = this.halts;
    this.tell({ kind: 'halt', halt });
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

  private async reported(kind: ChaosMessage['kind'], timeoutMs: number): Promise<void> {
    await waitFor(() => this.process.messages.some((message) => message.kind === kind), {
      timeoutMs,
      describe: `${kind} of worker ${this.process.pid}\n${this.process.output}`,
    });
  }

  private tell(command: FlushCommand): void {
    this.process.send(command);
  }
}
