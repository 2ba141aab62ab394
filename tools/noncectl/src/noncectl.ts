import { CommanderError, type Command } from 'commander';
import { EXIT, type ExitCode } from './exit-codes';
import { Failure } from './failure';
import { ApiClient } from './http/api-client';
import { connectionOf } from './http/connection';
import { showFailure } from './output/show-failure';
import { styleFor } from './output/style';
import type { Terminal } from './output/terminal';
import { buildProgram } from './program';

/** The world a run sees. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isTerminal: boolean;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Runs one command line; never rejects. */
export async function noncectl(
  parameters: readonly string[],
  { environment, isTerminal, out, err }: Surroundings,
): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const global = (): { readonly url?: string; readonly json?: boolean } => program.opts();
  const terminal = (): Terminal => ({
    style: styleFor(isTerminal, environment),
    json: global().json === true,
    out: (line) => out(`${line}\n`),
    err: (line) => err(`${line}\n`),
  });
  const program: Command = buildProgram(async (command) => {
    const api = new ApiClient(connectionOf(global().url, environment));
    exitCode = (await command({ api, terminal: terminal() })) ?? EXIT.ok;
  });
  strictly(program, { out, err });
  try {
    await program.parseAsync([...parameters], { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has written its message already; its own exit codes know no usage.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const failure = error instanceof Failure ? error : unexpected(error);
    showFailure(terminal(), failure);
    return failure.facts.exitCode;
  }
}

/** A command that does not exist, or more words than it takes, is an error at every level. */
function strictly(command: Command, { out, err }: Pick<Surroundings, 'out' | 'err'>): void {
  command
    .exitOverride()
    .allowExcessArguments(false)
    .showHelpAfterError('See `noncectl --help`.')
    .configureOutput({ writeOut: out, writeErr: err });
  for (const below of command.commands) strictly(below, { out, err });
}

function unexpected(error: unknown): Failure {
  return new Failure({
    code: 'NONCECTL_INTERNAL',
    detail: error instanceof Error ? (error.stack ?? error.message) : String(error),
    fix: 'This is a defect of noncectl; report it with the line you typed.',
    exitCode: EXIT.failed,
  });
}
