import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { templateLiteral } from './source-file';

/** The scripts of the migrations, by file name without its ending, in order. */
export function renderMigrationModule(folder: string): string {
  const names = existsSync(folder)
    ? readdirSync(folder).filter((name) => name.endsWith('.sql'))
    : [];
  const entries = names.sort().map((name) => {
    const text = readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n').trimEnd();
    return `  '${name.slice(0, -'.sql'.length)}': ${templateLiteral(text)},\n`;
  });
  return [
    '// Generated from postgres/migrations/sql/*.sql by `npm run generate`. Edit the .sql files.\n',
    '\nexport const MIGRATION_SCRIPTS = {\n',
    ...entries,
    '} as const;\n\nexport type MigrationScript = keyof typeof MIGRATION_SCRIPTS;\n',
  ].join('');
}
