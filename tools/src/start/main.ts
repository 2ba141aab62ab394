import { join } from 'node:path';
import { migrate } from '@noncekit/nonce-core';
import { DEFAULT_CHAIN_ID } from '../stack/anvil-server';
import type { Stack } from '../stack/stack';
import { startStack } from '../stack/start-stack';
import { WORKSPACE_ROOT } from '../workspace/workspace-root';
import { startApps } from './apps';
import { progressBar } from './progress-bar';
import { runDemo } from './run-demo';
import { readStartOptions, type StartOptions } from './start-options';
import { welcome } from './welcome';
import { witnessFolder } from './witness-folder';

const SCHEMA = 'noncekit';
const BLOCK_TIME_SECONDS = 1;

/** Everything that was started, ended in reverse order whatever happens. */
class Session {
  private readonly closers: (() => Promise<void>)[] = [];

  add(close: () => Promise<void>): void {
    this.closers.unshift(close);
  }

  async close(): Promise<void> {
    for (const close of this.closers.splice(0)) {
      await close().catch((error: unknown) => {
        say(`while stopping: ${messageOf(error)}`);
      });
    }
  }
}

async function main(): Promise<void> {
  const options = readStartOptions(process.argv.slice(2));
  const session = new Session();
  const interrupted = new Promise<'interrupted'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        resolve('interrupted');
      });
    }
  });
  try {
    const outcome = await Promise.race([serve(options, session), interrupted]);
    if (outcome === 'wrong') process.exitCode = 1;
    if (outcome === 'serving') {
      say('Ctrl-C stops everything.');
      await interrupted;
    }
  } finally {
    say('stopping');
    await session.close();
  }
}

async function serve(
  options: StartOptions,
  session: Session,
): Promise<'serving' | 'right' | 'wrong'> {
  const directory = join(WORKSPACE_ROOT, '.stack');
  const stack = await startStack({
    dataDir: directory,
    log: say,
    chain: { chainId: DEFAULT_CHAIN_ID, blockTimeSeconds: BLOCK_TIME_SECONDS },
  });
  session.add(() => stack.stop());
  if (process.env['NONCE_INITIAL_MODE'] === 'PERFORMANCE' && stack.redisUrl === undefined) {
    throw new Error(
      'NONCE_INITIAL_MODE=PERFORMANCE issues from Redis, and there is none (see above)',
    );
  }
  const { applied } = await migrate({ url: stack.databaseUrl, schema: SCHEMA });
  say(`Database: ${String(applied.length)} migrations applied`);
  const witnessDir = witnessFolder(stack, directory);
  const apps = await startApps(stack, { directory: join(directory, 'apps'), witnessDir });
  session.add(() => apps.stop());
  say(`API: ${apps.apiUrl}   worker: ready`);
  const right = options.demo ? await demonstrate(stack, witnessDir) : true;
  if (options.once) return right ? 'right' : 'wrong';
  for (const line of welcome(apps, stack, witnessDir)) say(line);
  return 'serving';
}

async function demonstrate(stack: Stack, witnessDir: string): Promise<boolean> {
  const { chain } = stack;
  if (chain === undefined) {
    say('Demo: left out, there is no chain to send to (see above).');
    return false;
  }
  say('Demo: 3 new wallets, 200 transfers, 16 callers; some fail, some are killed, some retry');
  const bar = progressBar('transfers');
  const report = await runDemo({ stack, chain, witnessDir }, bar.update);
  bar.end();
  for (const line of report.lines) say(line);
  say(
    report.right
      ? 'Demo: right. Every nonce from 0 up was mined once, and every transfer was paid once.'
      : 'Demo: WRONG, see the lines above.',
  );
  return report.right;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
});
