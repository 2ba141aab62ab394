import { quoteSchema } from '../generated/sql';

/** The functions of a schema or of this program. */
export interface FunctionsVersion {
  readonly version: number;
  /** SHA-256 of all scripts in their order. */
  readonly digest: string;
}

interface Asked {
  query<T>(sql: string, parameters?: unknown[]): Promise<T>;
}

/** The functions in force in a schema; null when none were ever applied. */
export async function recordedFunctions(
  source: Asked,
  schema: string,
): Promise<FunctionsVersion | null> {
  const table = `${quoteSchema(schema)}."schema_functions"`;
  const found = await source.query<{ exists: boolean }[]>(
    'SELECT to_regclass($1) IS NOT NULL AS exists',
    [table],
  );
  if (found[0]?.exists !== true) return null;
  const rows = await source.query<FunctionsVersion[]>(
    `SELECT version, digest FROM ${table} ORDER BY version DESC LIMIT 1`,
  );
  return rows[0] ?? null;
}
