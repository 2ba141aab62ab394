import type { EntityManager } from 'typeorm';
import { FUNCTIONS } from '../generated/functions';
import { quoteSchema } from '../generated/sql';
import { decideFunctions } from './decide-functions';
import { recordedFunctions } from './recorded-functions';

/**
 * Gives the schema the functions of this program, unless it has these or newer ones. Runs in the
 * caller's transaction, so that nobody ever sees a part of them; the caller keeps others from doing
 * the same at once, because Postgres fails one of two who replace a function.
 */
export async function applyFunctions(
  manager: EntityManager,
  schema: string,
): Promise<'apply' | 'keep' | 'newer'> {
  const verdict = decideFunctions(await recordedFunctions(manager, schema), FUNCTIONS);
  if (verdict !== 'apply') return verdict;
  const prefix = `${quoteSchema(schema)}.`;
  for (const script of FUNCTIONS.scripts) {
    await manager.query(script.text.replaceAll(':schema.', prefix));
  }
  await manager.query(
    `INSERT INTO ${prefix}"schema_functions" (version, digest) VALUES ($1, $2)
     ON CONFLICT (version) DO UPDATE SET digest = $2, applied_at = clock_timestamp()`,
    [FUNCTIONS.version, FUNCTIONS.digest],
  );
  return verdict;
}
