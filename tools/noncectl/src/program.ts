import { Command } from 'commander';
import { engineMode, reason, wholeNumber } from './arguments';
import { abortSwitch } from './commands/abort-switch';
import { followEvents, type EventOptions } from './commands/follow-events';
import { modeHistory } from './commands/mode-history';
import { setPrefetch, showPrefetch, type PrefetchChange } from './commands/prefetch';
import { reconcile, type ReconcileOptions } from './commands/reconcile';
import { resetSubmitter, type ResetOptions } from './commands/reset-submitter';
import { showMode } from './commands/show-mode';
import { showStatus } from './commands/show-status';
import { switchMode, type SwitchOptions } from './commands/switch-mode';
import { EXIT, type ExitCode } from './exit-codes';
import type { ApiClient } from './http/api-client';
import type { Terminal } from './output/terminal';

const DEFAULT_WAIT_MS = 120_000;
const DEFAULT_HISTORY = 20;
const EXIT_CODES =
  'Exit codes: 0 ok, 1 failed, 2 usage, 3 problems found, 4 not found, 5 conflict, 6 unreachable.';

/** What every command is given once the parameters are read. */
export interface Session {
  readonly api: ApiClient;
  readonly terminal: Terminal;
}

/** Runs a command in a session that the global options describe. */
export type Run = (command: (session: Session) => Promise<ExitCode | undefined>) => Promise<void>;

const done = async (work: Promise<void>): Promise<ExitCode> => {
  await work;
  return EXIT.ok;
};

export function buildProgram(run: Run): Command {
  const program = new Command('noncectl')
    .description('Operates Noncekit through its HTTP API.')
    .option('--url <url>', 'public port of an API (default: NONCE_API_URL)')
    .option('--json', 'one JSON document instead of text')
    .addHelpText(
      'after',
      `\nThe API key is read from NONCE_API_KEY or the file NONCE_API_KEY_FILE.\n${EXIT_CODES}`,
    );
  program
    .command('status')
    .description('mode and health; exit code 3 when something is not well')
    .action(() => run(({ api, terminal }) => showStatus(api, terminal)));
  addMode(program, run);
  addPrefetch(program, run);
  addReset(program, run);
  addReconcile(program, run);
  addEvents(program, run);
  return program;
}

function addMode(program: Command, run: Run): void {
  const mode = program
    .command('mode')
    .description('how nonces are issued: show, switch, history, abort')
    .action(() => run(({ api, terminal }) => done(showMode(api, terminal))));
  mode
    .command('switch')
    .description('switch all nodes to another mode')
    .argument('<mode>', 'RELIABLE, DUAL_WRITE, PERFORMANCE or DRAIN', engineMode)
    .requiredOption('--reason <text>', 'why; kept in the audit', reason)
    .option('--dry-run', 'only check whether it is possible')
    .option('--wait', 'show the phases and return when all are over')
    .option('--wait-ms <ms>', 'how long to wait at most', wholeNumber, DEFAULT_WAIT_MS)
    .option('--if-epoch <n>', 'only if this epoch is still in force', wholeNumber)
    .action((to: ReturnType<typeof engineMode>, options: SwitchOptions) =>
      run(({ api, terminal }) => switchMode(api, terminal, { mode: to, options })),
    );
  mode
    .command('history')
    .description('switches, newest first')
    .option('--limit <n>', 'how many', wholeNumber, DEFAULT_HISTORY)
    .option('--before <id>', 'only those before this one', wholeNumber)
    .action((options: { limit: number; before?: number }) =>
      run(({ api, terminal }) => done(modeHistory(api, terminal, options))),
    );
  mode
    .command('abort')
    .description('end what the running switch still does; the mode stays')
    .requiredOption('--reason <text>', 'why; kept in the audit', reason)
    .action((options: { reason: string }) =>
      run(({ api, terminal }) => done(abortSwitch(api, terminal, options.reason))),
    );
}

function addReset(program: Command, run: Run): void {
  program
    .command('reset')
    .description('start a submitter anew on a chain that was reset')
    .argument('<submitter>', 'eip155:<chain>:<address>, or an address of the default chain')
    .requiredOption('--reason <text>', 'why; kept in the audit', reason)
    .option('--dry-run', 'only say what would be done')
    .option('--yes', 'do it: it cannot be taken back')
    .action((submitter: string, options: ResetOptions) =>
      run(({ api, terminal }) => resetSubmitter(api, terminal, { submitter, options })),
    );
}

function addReconcile(program: Command, run: Run): void {
  program
    .command('reconcile')
    .description('compare submitters with witnesses and chains, and mend what differs')
    .option('--all', 'every submitter')
    .option('--hot', 'those of which the chain has not finally consumed every issued nonce')
    .option('--submitter <submitter>', 'this one alone')
    .requiredOption('--reason <text>', 'why; kept in the audit', reason)
    .option('--dry-run', 'only say what would be changed')
    .action((options: ReconcileOptions) =>
      run(({ api, terminal }) => reconcile(api, terminal, options)),
    );
}

function addEvents(program: Command, run: Run): void {
  program
    .command('events')
    .description('show what happens, as it happens; with --json one document per line')
    .option('--name <start>', 'only events whose name begins so, such as tx. or alarm.')
    .option('--submitter <submitter>', 'only of this one: eip155:<chain>:<address>, or <address>')
    .option('--after <id>', 'go on behind this event')
    .option('--count <n>', 'end after so many', wholeNumber)
    .action((options: EventOptions) =>
      run(({ api, terminal }) => followEvents(api, terminal, options)),
    );
}

function addPrefetch(program: Command, run: Run): void {
  const prefetch = program
    .command('prefetch')
    .description('how many fresh nonces Redis is given at once: show, set')
    .action(() => run(({ api, terminal }) => done(showPrefetch(api, terminal))));
  prefetch
    .command('set')
    .description('change it on all nodes; what is left out stays as it is')
    .option('--size <n>', 'nonces of a first batch', wholeNumber)
    .option('--low-water <n>', 'fewer left than this fetch the next batch', wholeNumber)
    .option('--max <n>', 'nonces of the largest batch', wholeNumber)
    .option('--reason <text>', 'why; kept in the audit', reason)
    .action((change: PrefetchChange) =>
      run(({ api, terminal }) => done(setPrefetch(api, terminal, change))),
    );
}
