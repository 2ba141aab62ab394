import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One `.sql` or `.lua` file, as its author wrote it. */
export interface SourceFile {
  /** Name inside its folder, for messages. */
  readonly name: string;
  /** Key of the generated table: `allocate-batch.sql` becomes `allocateBatch`. */
  readonly key: string;
  readonly text: string;
}

const FILE_NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** All files of one kind in a folder, sorted by name; an absent folder holds none. */
export function readSources(folder: string, extension: '.sql' | '.lua'): readonly SourceFile[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(extension))
    .sort()
    .map((name) => ({
      name,
      key: keyOf(name, extension),
      text: readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n').trimEnd(),
    }));
}

/** The comment lines before the first line of code, without their marker. */
export function headerOf(text: string): readonly string[] {
  const header: string[] = [];
  for (const line of text.split('\n')) {
    if (!line.startsWith('--')) break;
    header.push(line.slice(2).trim());
  }
  return header;
}

/** Everything after the header. */
export function bodyOf(text: string): string {
  return text.split('\n').slice(headerOf(text).length).join('\n').trim();
}

/** A template literal with the same value. */
export function templateLiteral(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${');
  return `\`${escaped}\``;
}

function keyOf(name: string, extension: string): string {
  const stem = name.slice(0, -extension.length);
  if (!FILE_NAME.test(stem)) throw new Error(`${name}: name it in lower-case words with dashes`);
  return stem.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
