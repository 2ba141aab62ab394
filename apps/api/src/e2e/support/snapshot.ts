import type { TestDatabase } from '@noncekit/test-support/test-database';

/** One line per table: its name, its number of rows and a digest of their contents. */
export async function snapshotOf(database: TestDatabase): Promise<string> {
  const { rows } = await database.pool.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = $1 ORDER BY tablename`,
    [database.schema],
  );
  const parts = rows.map(
    ({ name }) =>
      `SELECT '${name}' AS name, count(*)::int AS count,
              md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) AS digest FROM ${name} t`,
  );
  const result = await database.pool.query<{ name: string; count: number; digest: string }>(
    parts.join(' UNION ALL '),
  );
  return result.rows.map((row) => `${row.name} ${row.count} ${row.digest}`).join('\n');
}
