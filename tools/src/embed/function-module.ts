import { createHash } from 'node:crypto';
import { INCLUDE_LINE } from './include-line';
import { templateLiteral, type SourceFile } from './source-file';

const LIST = 'all.sql';

const PROLOGUE = `// Generated from postgres/functions/*.sql by \`npm run generate\`. Edit the .sql files, not this one.
// The version counts up whenever the scripts differ from those that stood here.

`;

/**
 * The TypeScript module that carries the scripts of the functions in the order of the list.
 * @param before the module as it was: with other scripts the version is the next one.
 * @throws Error that names a file which is not in the list, or not in the folder.
 */
export function renderFunctionModule(sources: readonly SourceFile[], before: string): string {
  const scripts = inOrder(sources);
  const digest = createHash('sha256')
    .update(scripts.map((script) => `${script.name}\n${script.text}\n`).join(''))
    .digest('hex');
  return [
    PROLOGUE,
    'export const FUNCTIONS = {\n',
    `  version: ${String(versionOf(digest, before))},\n`,
    `  digest: '${digest}',\n`,
    '  scripts: [\n',
    ...scripts.map(
      (script) => `    { name: '${script.name}', text: ${templateLiteral(script.text)} },\n`,
    ),
    '  ],\n} as const;\n',
  ].join('');
}

function inOrder(sources: readonly SourceFile[]): readonly SourceFile[] {
  const list = sources.find((source) => source.name === LIST)?.text ?? '';
  const names = [...list.matchAll(INCLUDE_LINE)].map((line) => line[1] ?? '');
  const forgotten = sources.filter(({ name }) => name !== LIST && !names.includes(name));
  if (forgotten.length > 0) {
    throw new Error(`${LIST}: does not name ${forgotten.map(({ name }) => name).join(', ')}`);
  }
  return names.map((name) => {
    const source = sources.find((candidate) => candidate.name === name);
    if (source === undefined) throw new Error(`${LIST}: there is no ${name}`);
    return source;
  });
}

function versionOf(digest: string, before: string): number {
  const version = Number(/^ {2}version: (\d+),$/m.exec(before)?.[1] ?? 0);
  return before.includes(`  digest: '${digest}',\n`) ? version : version + 1;
}
