import type { EnvironmentReferenceRow } from '@noncekit/nonce-core';

/** What Node itself and the base image read. */
const OF_THE_PLATFORM = ['NODE_ENV', 'NODE_OPTIONS', 'TZ'];
/** What the migrate command reads. */
const OF_MIGRATE = ['NONCE_DATABASE_URL', 'NONCE_DATABASE_URL_FILE', 'NONCE_DATABASE_SCHEMA'];

/** Decides whether a program started from an image reads a variable. */
export type KnownNames = (program: string, name: string) => boolean;

/** Names per app from its environment class; the chain id stands for itself. */
export function knownNames(
  environments: ReadonlyMap<string, readonly EnvironmentReferenceRow[]>,
): KnownNames {
  const names = new Map<string, ReadonlySet<string>>([['tools', new Set(OF_MIGRATE)]]);
  for (const [app, rows] of environments) {
    names.set(`apps/${app}`, new Set(rows.flatMap((row) => spellings(row))));
  }
  return (program, name) => {
    const folder = [...names.keys()].find((one) => program.startsWith(`${one}/`));
    const known = folder === undefined ? undefined : names.get(folder);
    const general = name.replace(/^NONCE_CHAIN_\d+_/, 'NONCE_CHAIN_<id>_');
    return OF_THE_PLATFORM.includes(name) || known?.has(general) === true;
  };
}

function spellings(row: EnvironmentReferenceRow): readonly string[] {
  const prefix = row.name.startsWith('NONCE_CHAIN_<id>_') ? 'NONCE_CHAIN_<id>_' : '';
  const names = [row.name, ...row.aliases.map((alias) => prefix + alias)];
  return row.secret ? names.flatMap((name) => [name, `${name}_FILE`]) : names;
}
