import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The full path of the first of `names` on the PATH. */
export function findOnPath(
  names: readonly string[],
  path: string = process.env['PATH'] ?? '',
): string | undefined {
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  for (const name of names) {
    const found = folders.map((folder) => join(folder, name)).find(isExecutable);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Folders of a system's Postgres packages, newest version first; Debian keeps them off the PATH. */
export function systemPostgresFolders(root = '/usr/lib/postgresql'): readonly string[] {
  try {
    return readdirSync(root)
      .filter((version) => /^\d+$/.test(version))
      .sort((left, right) => Number(right) - Number(left))
      .map((version) => join(root, version, 'bin'));
  } catch {
    return [];
  }
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
