import type { FunctionsVersion } from './recorded-functions';

/**
 * What `migrate` does about the functions of a schema: `apply` this program's, `keep` them because
 * they are the same, or leave them because a `newer` program applied its own, whose calls they answer.
 */
export function decideFunctions(
  recorded: FunctionsVersion | null,
  own: FunctionsVersion,
): 'apply' | 'keep' | 'newer' {
  if (recorded === null || recorded.version < own.version) return 'apply';
  if (recorded.version > own.version) return 'newer';
  return recorded.digest === own.digest ? 'keep' : 'apply';
}

/**
 * Whether a program cannot run on these functions. Newer ones are no reason: while versions are
 * rolled out, nodes of the older one go on and may be restarted.
 */
export function functionsAreBehind(
  recorded: FunctionsVersion | null,
  own: FunctionsVersion,
): boolean {
  return recorded === null || recorded.version < own.version;
}
