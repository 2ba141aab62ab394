import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { isAlive, signalPid } from './process-tree';
import { pollUntil } from './poll-until';
import { StackError } from './stack-error';
import { forgetServer, watchServer } from './watchdog';

export interface ServerCommand {
  /** How the server is called in messages. */
  readonly name: string;
  readonly program: string;
  readonly parameters: readonly string[];
  readonly logPath: string;
  readonly directory: string;
  /** The polite way to end it; the impolite way is always SIGKILL. */
  readonly stopSignal: 'SIGINT' | 'SIGTERM';
  /** Its whole environment; by default this process's. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly uid?: number;
  readonly gid?: number;
}

const STOP_REPEAT_MS = 300;

/**
 * One running server. Guarantees: it is signalled by its pid only, it does not outlive this process
 * (see watchdog.ts), and `exited` settles once. It knows nothing of what the server serves.
 */
export class ServerProcess {
  readonly pid: number;
  readonly exited: Promise<void>;
  private readonly child: ChildProcess;
  private gone = false;

  private constructor(
    private readonly command: ServerCommand,
    child: ChildProcess & { readonly pid: number },
    private readonly logStartBytes: number,
  ) {
    this.child = child;
    this.pid = child.pid;
    this.exited = new Promise((resolve) => {
      child.once('exit', () => {
        this.gone = true;
        forgetServer(this.pid);
        resolve();
      });
    });
  }

  /** @throws StackError when the program cannot be executed. */
  static async spawn(command: ServerCommand): Promise<ServerProcess> {
    const logFile = openSync(command.logPath, 'a');
    try {
      const logStartBytes = fstatSync(logFile).size;
      const child = spawn(command.program, command.parameters, {
        cwd: command.directory,
        stdio: ['ignore', logFile, logFile],
        // A session of its own: Ctrl-C in a terminal must reach the stack first, not its servers.
        detached: true,
        ...(command.environment === undefined ? {} : { env: command.environment }),
        ...(command.uid === undefined ? {} : { uid: command.uid }),
        ...(command.gid === undefined ? {} : { gid: command.gid }),
      });
      await started(child, command);
      const server = new ServerProcess(
        command,
        child as ChildProcess & { readonly pid: number },
        logStartBytes,
      );
      watchServer(server.pid, command.stopSignal === 'SIGINT' ? 'INT' : 'TERM');
      return server;
    } finally {
      closeSync(logFile);
    }
  }

  get alive(): boolean {
    return !this.gone && this.child.exitCode === null && isAlive(this.pid);
  }

  /** The end of what the server wrote since it was spawned. */
  logTail(linesMax = 15): string {
    try {
      const written = readFileSync(this.command.logPath).subarray(this.logStartBytes);
      return written.toString('utf8').trimEnd().split('\n').slice(-linesMax).join('\n');
    } catch {
      return '';
    }
  }

  signal(signal: NodeJS.Signals): void {
    if (this.alive) signalPid(this.pid, signal);
  }

  /** Ends it politely, and with SIGKILL once the deadline has passed. */
  async stop(deadlineMs: number): Promise<void> {
    const deadlineAtMs = performance.now() + deadlineMs;
    while (!this.gone && performance.now() < deadlineAtMs) {
      // Repeated, because Redis forgets a request that comes while it writes its first file.
      this.signal(this.command.stopSignal);
      // A stopped process takes notice only once it continues.
      this.signal('SIGCONT');
      await this.exitedWithin(STOP_REPEAT_MS);
    }
    await this.kill();
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
  }

  /**
   * Waits for the server's own sign of being ready.
   * @throws StackError with the end of its log when it dies or stays silent.
   */
  async untilReady(ready: () => Promise<boolean> | boolean, timeoutMs: number): Promise<void> {
    await pollUntil(
      async () => {
        if (this.gone) throw this.failure('ended while it was starting');
        return await ready();
      },
      { timeoutMs, describe: `${this.command.name} to get ready` },
    ).catch((error: unknown) => {
      throw error instanceof StackError
        ? error
        : this.failure(`was not ready after ${String(timeoutMs)} ms`, error);
    });
  }

  private failure(what: string, cause?: unknown): StackError {
    return new StackError(`${this.command.name} ${what}. The end of its log:\n${this.logTail()}`, {
      fix: `read ${this.command.logPath}`,
      ...(cause === undefined ? {} : { cause }),
    });
  }

  private async exitedWithin(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([this.exited, late]);
    clearTimeout(timer);
  }
}

function started(child: ChildProcess, command: ServerCommand): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      reject(
        new StackError(`${command.program} could not be executed: ${cause.message}`, {
          fix: `check that ${command.program} exists and may be executed by this account`,
          cause,
        }),
      );
    });
  });
}
