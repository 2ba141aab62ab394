import { spawn } from 'node:child_process';
import { forgetServer, watchServer } from './watchdog';

export interface CommandOptions {
  readonly timeoutMs: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Where it runs and leaves its files; the root folder when it leaves none. */
  readonly directory?: string;
  /** Has it killed however this process ends; for programs that would run on for minutes. */
  readonly endsWithUs?: boolean;
}

export interface CommandResult {
  /** Undefined when the program could not be started or was ended by a signal. */
  readonly exitCode: number | undefined;
  /** Standard output and standard error as they came. */
  readonly output: string;
}

/** Runs a program to its end without a shell and without input. Never throws. */
export function runCommand(
  program: string,
  parameters: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(program, parameters, {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: options.directory ?? '/',
      env: { ...process.env, ...options.environment },
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    });
    const { pid } = child;
    const isWatched = options.endsWithUs === true && pid !== undefined;
    if (isWatched) watchServer(pid, 'KILL');
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', (error) => {
      resolve({ exitCode: undefined, output: output + error.message });
    });
    child.once('close', (exitCode) => {
      if (isWatched) forgetServer(pid);
      resolve({ exitCode: exitCode ?? undefined, output });
    });
  });
}
