import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A file that a generator owns completely. */
export interface GeneratedFile {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  readonly content: string;
}

/** Paths whose file on disk is missing or differs from what the generator makes now. */
export function staleFiles(root: string, files: readonly GeneratedFile[]): readonly string[] {
  return files
    .filter((file) => readIfPresent(join(root, file.path)) !== file.content)
    .map((file) => file.path);
}

/** Writes what is stale and leaves the rest untouched, so that incremental builds stay quiet. */
export function writeStaleFiles(root: string, files: readonly GeneratedFile[]): readonly string[] {
  const stale = staleFiles(root, files);
  for (const file of files) {
    if (!stale.includes(file.path)) continue;
    mkdirSync(dirname(join(root, file.path)), { recursive: true });
    writeFileSync(join(root, file.path), file.content);
  }
  return stale;
}

/** The text of a file, or null when it is not there. */
export function readIfPresent(path: string): string | null {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}
