import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { forgetServer, pollUntil, watchServer } from '../../../../tools/src/stack/index';

const HOOK = resolve(__dirname, '../../../../tools/test/jest/register-typescript.cjs');
const MESSAGE_TIMEOUT_MS = 20_000;
const OUTPUT_KEPT_CHARS = 20_000;

export interface NodeProcessOptions {
  readonly parameters?: readonly string[];
  /** Added to this process's environment; undefined takes a name out of it. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export interface NodeProcessEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * A real Node process that runs a TypeScript or JavaScript file of this repository from its source.
 * Both sides talk in JSON values, one a line (see child-messages.ts). It is ended by `stop`, `kill`
 * or, at the latest, with the test process.
 */
export class NodeProcess<Message = unknown> {
  readonly pid: number;
  readonly ended: Promise<NodeProcessEnd>;
  /** Everything it has reported so far, in order. */
  readonly messages: Message[] = [];
  private text = '';
  private readonly child: Child;
  private end: NodeProcessEnd | undefined;

  private constructor(script: string, options: NodeProcessOptions) {
    this.child = spawn(process.execPath, ['-r', HOOK, script, ...(options.parameters ?? [])], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...options.environment },
    });
    const { pid } = this.child;
    if (pid === undefined) throw new Error(`node could not be started for ${script}`);
    this.pid = pid;
    watchServer(pid, 'KILL');
    this.ended = new Promise((settle) => {
      this.child.once('close', (exitCode, signal) => {
        this.end = { exitCode, signal };
        forgetServer(pid);
        settle(this.end);
      });
    });
    this.listen();
  }

  static start<Message = unknown>(
    script: string,
    options: NodeProcessOptions = {},
  ): NodeProcess<Message> {
    return new NodeProcess<Message>(script, options);
  }

  /** What it wrote besides messages, for error messages of tests. */
  get output(): string {
    return this.text;
  }

  send(message: unknown): void {
    this.child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  /**
   * The first message that fits, also one that came before this call.
   * @throws Error with the process's output when it ends without such a message or takes too long.
   */
  async message(fits: (message: Message) => boolean, describe = 'a message'): Promise<Message> {
    return pollUntil<Message | undefined>(
      () => {
        const found = this.messages.find(fits);
        if (found === undefined && this.end !== undefined) {
          throw new Error(
            `the process ended (${JSON.stringify(this.end)}) before ${describe}:\n${this.text}`,
          );
        }
        return found;
      },
      {
        timeoutMs: MESSAGE_TIMEOUT_MS,
        describe: `${describe}; so far it wrote:\n${this.text}`,
        everyMs: 5,
      },
    );
  }

  /** Ends its input and asks with SIGTERM; resolves once it is gone. */
  async stop(): Promise<NodeProcessEnd> {
    this.child.stdin.end();
    this.child.kill('SIGTERM');
    return this.ended;
  }

  /** kill -9, at the point it has reached. */
  async kill(): Promise<NodeProcessEnd> {
    this.child.kill('SIGKILL');
    return this.ended;
  }

  pause(): void {
    this.child.kill('SIGSTOP');
  }

  resume(): void {
    this.child.kill('SIGCONT');
  }

  private listen(): void {
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      const message = parsed(line);
      if (message === undefined) this.keep(`${line}\n`);
      else this.messages.push(message as Message);
    });
    this.child.stderr.on('data', (chunk: Buffer) => {
      this.keep(chunk.toString('utf8'));
    });
    // A process that was killed cannot read any more; the test learns that from `ended`.
    this.child.stdin.on('error', () => undefined);
  }

  private keep(text: string): void {
    this.text = (this.text + text).slice(-OUTPUT_KEPT_CHARS);
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
