import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const SKIPPED = new Set(['node_modules', 'dist', '.nx', '.stack', '.git', 'coverage']);
const SOURCE_ROOTS = ['libs', 'apps', 'tools', 'test', 'examples'];

/** Files below `folder`, relative to `root` with forward slashes, sorted. */
export function listFiles(root: string, folder: string): readonly string[] {
  return entriesOf(join(root, folder))
    .filter((entry) => !SKIPPED.has(entry.name))
    .flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      return entry.isDirectory() ? listFiles(root, path) : [path];
    })
    .sort();
}

/** Every TypeScript file of the workspace, tests included. */
export function listSources(root: string): readonly string[] {
  return SOURCE_ROOTS.flatMap((folder) => listFiles(root, folder)).filter(
    (path) => path.endsWith('.ts') && !path.endsWith('.d.ts'),
  );
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // absent, or removed by a parallel build: nothing to list
  }
}
