import { readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { RedisServer } from './redis-server';

const FOLDER = 'appendonlydir';
const MANIFEST = 'appendonly.aof.manifest';

/**
 * Cuts the last bytes off the newest file of a server's append-only log, which is what a machine
 * that lost its power leaves behind: a kill alone loses nothing, the page cache survives it.
 * Returns how many bytes were cut, fewer than asked for when the file held fewer.
 * @throws Error while the server runs.
 */
export async function truncateAppendOnlyTail(server: RedisServer, bytes: number): Promise<number> {
  if (server.running) throw new Error('the server still runs: it would write on past the cut');
  const folder = join(server.dataDir, FOLDER);
  const path = join(folder, newestFile(await readFile(join(folder, MANIFEST), 'utf8')));
  const { size } = await stat(path);
  const cut = Math.min(bytes, size);
  await truncate(path, size - cut);
  return cut;
}

/** Lines read `file <name> seq <number> type <b|h|i>`; the last incremental one is written to. */
function newestFile(manifest: string): string {
  const found = [...manifest.matchAll(/^file (\S+) seq \d+ type i$/gm)].at(-1)?.[1];
  if (found === undefined) throw new Error('the append-only log has no incremental file');
  return found;
}
