import { readdir, readFile, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { types } from 'node:util';
import { WitnessBook } from '../domain/witness';
import { readLines } from './witness-lines';

export const WITNESS_SUFFIX = '.witness';
export const DRAFT_SUFFIX = '.witness-draft';

/** This host, as it stands in the names of its files. */
export function thisNode(): string {
  return hostname().replaceAll(/[^\w-]/g, '-');
}

/**
 * A live process writes at least the position of the log every few seconds while the database is
 * used; nothing for this long means that its host is gone.
 */
const FORSAKEN_AFTER_MS = 7 * 24 * 3_600_000;

/**
 * Everything the files of a folder say; null when the folder, or any file in it, cannot be read:
 * then nobody knows what was kept. A folder that does not exist yet holds nothing.
 */
export async function readFolder(folder: string): Promise<WitnessBook | null> {
  const book = new WitnessBook();
  try {
    for (const path of await witnessFiles(folder)) {
      for (const line of readLines(await contentOf(path))) {
        if (line.kind === 'server') book.see(line.server);
        else book.raise(line.witness);
      }
    }
    return book;
  } catch {
    return null;
  }
}

/**
 * Files of processes that have ended. To be asked before the folder is read: what is removed must
 * have been read after its last line was written.
 */
export async function forsakenFiles(folder: string, ownPath: string): Promise<readonly string[]> {
  const forsaken: string[] = [];
  for (const path of await witnessFiles(folder, [WITNESS_SUFFIX, DRAFT_SUFFIX])) {
    if (path !== ownPath && (await isForsaken(path))) forsaken.push(path);
  }
  return forsaken;
}

/**
 * Removes files whose facts the caller has just written to its own. A process taken for dead that
 * still writes finds its file without a name and makes another.
 */
export async function removeFiles(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    if (await isForsaken(path)) await unlink(path).catch(() => undefined);
  }
}

async function isForsaken(path: string): Promise<boolean> {
  const [, node, pid] = /([^/]+)\.(\d+)\.[0-9a-f]+\.witness(?:-draft)?$/.exec(path) ?? [];
  if (node === undefined || pid === undefined) return false;
  try {
    const idleMs = Date.now() - (await stat(path)).mtimeMs;
    if (idleMs > FORSAKEN_AFTER_MS) return true;
    if (node !== thisNode()) return false;
    if (Number(pid) !== process.pid) return !isRunning(Number(pid));
    // In containers every process has the same number: this one's began later than the file ended.
    return idleMs > process.uptime() * 1_000;
  } catch {
    return false; // somebody else removed it
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}

async function witnessFiles(
  folder: string,
  suffixes: readonly string[] = [WITNESS_SUFFIX],
): Promise<readonly string[]> {
  try {
    const names = await readdir(folder);
    const ours = names.filter((name) => suffixes.some((suffix) => name.endsWith(suffix)));
    return ours.map((name) => join(folder, name));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Empty when it was removed in between: its facts are in the file of whoever removed it. */
async function contentOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}

/** By nature and not by class: errors of the system may come from another realm than this module. */
function codeOf(error: unknown): unknown {
  return types.isNativeError(error) && 'code' in error ? error.code : undefined;
}
