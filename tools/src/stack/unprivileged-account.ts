import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { runCommand } from './run-command';
import { StackError } from './stack-error';

export interface UnprivilegedAccount {
  readonly uid: number;
  readonly gid: number;
}

/** In this order: the account of an installed Postgres, then the one that every system has. */
const CANDIDATES = ['postgres', 'nobody'];

/**
 * The account under which Postgres has to run, because it refuses to run as root; undefined when
 * this process is not root and simply keeps its own.
 */
export async function unprivilegedAccount(): Promise<UnprivilegedAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of CANDIDATES) {
    const [uid, gid] = await Promise.all([idOf('-u', name), idOf('-g', name)]);
    if (uid !== undefined && gid !== undefined && uid !== 0) return { uid, gid };
  }
  throw new StackError('Postgres refuses to run as root, and there is no account to run it as', {
    fix: 'run "useradd --system postgres", or run this command as an ordinary user',
  });
}

/**
 * Whether an account without rights of its own can reach a path. It cannot when the repository was
 * cloned below root's home, whose directories are closed to everybody else.
 */
export function isReachableByEverybody(path: string): boolean {
  const OTHERS_MAY_ENTER = 0o001;
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & OTHERS_MAY_ENTER) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

async function idOf(flag: '-u' | '-g', name: string): Promise<number | undefined> {
  const { exitCode, output } = await runCommand('id', [flag, name], { timeoutMs: 5_000 });
  return exitCode === 0 ? Number(output.trim()) : undefined;
}
