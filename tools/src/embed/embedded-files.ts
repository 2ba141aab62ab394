import { join } from 'node:path';
import { readIfPresent, type GeneratedFile } from '../generate/generated-file';
import { renderFunctionModule } from './function-module';
import { withFragments } from './lua-fragments';
import { renderLuaModule } from './lua-module';
import { renderMigrationModule } from './migration-module';
import { readSources } from './source-file';
import { renderSqlModule } from './sql-module';
import { parseSqlStatement } from './sql-statement';

const CORE = 'libs/nonce-core/src';
const FUNCTIONS = `${CORE}/postgres/generated/functions.ts`;

/** The modules through which the library carries its SQL and Lua. */
export function embeddedFiles(root: string): readonly GeneratedFile[] {
  const sql = readSources(join(root, CORE, 'postgres/sql'), '.sql').map(parseSqlStatement);
  const fragments = readSources(join(root, CORE, 'redis/lua/include'), '.lua');
  const lua = readSources(join(root, CORE, 'redis/lua'), '.lua').map((script) =>
    withFragments(script, fragments),
  );
  return [
    { path: `${CORE}/postgres/generated/sql.ts`, content: renderSqlModule(sql) },
    {
      path: `${CORE}/postgres/generated/migrations.ts`,
      content: renderMigrationModule(join(root, CORE, 'postgres/migrations/sql')),
    },
    {
      path: FUNCTIONS,
      content: renderFunctionModule(
        readSources(join(root, CORE, 'postgres/functions'), '.sql'),
        readIfPresent(join(root, FUNCTIONS)) ?? '',
      ),
    },
    { path: `${CORE}/redis/generated/lua.ts`, content: renderLuaModule(lua) },
  ];
}
