import type { EnvironmentReferenceRow } from '@noncekit/nonce-core';
import { code, page, table } from './markdown';

/** Every environment variable, and which app reads it. */
export function configurationPage(
  environments: ReadonlyMap<string, readonly EnvironmentReferenceRow[]>,
): string {
  const apps = [...environments.keys()];
  const rows = new Map([...environments.values()].flat().map((row) => [row.name, row]));
  const readers = (name: string) =>
    apps.filter((app) => environments.get(app)?.some((row) => row.name === name) === true);
  return page(
    'Configuration',
    'config/env.schema.ts` of each app and `libs/nonce-core/src/module/environment',
    [
      'Both apps read their environment once, at the start, and report every problem together. Secrets are also read from the file that `<NAME>_FILE` names. A `NONCE_…` name that nothing reads is warned of.',
      table(
        ['name', 'kind', 'default', 'read by', 'why change it'],
        [...rows.values()].map((row) => [
          names(row),
          row.unit === null ? row.kind : `${row.kind} (${row.unit})`,
          row.default === null ? '' : code(row.default),
          readers(row.name).length === apps.length ? 'both' : readers(row.name).join(', '),
          row.reason,
        ]),
      ),
    ],
  );
}

function names(row: EnvironmentReferenceRow): string {
  const secret = row.secret ? [`${row.name}_FILE`] : [];
  return [row.name, ...row.aliases, ...secret].map(code).join(' or ');
}
