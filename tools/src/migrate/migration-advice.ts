/** What to do about a failed migration, by the code of the driver or of Postgres. */
const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'start Postgres, or correct host and port in NONCE_DATABASE_URL',
  ENOTFOUND: 'correct the host in NONCE_DATABASE_URL',
  ETIMEDOUT: 'see that the network lets this machine reach Postgres',
  '28P01': 'correct user and password in NONCE_DATABASE_URL',
  '28000': 'let this user connect from this machine (pg_hba.conf)',
  '3D000': 'create the database first: CREATE DATABASE … OWNER …',
  '42501': 'run the migrations as the owner of the schema, not as the application',
  '55P03': 'end long transactions on these tables and run it again; nothing was changed',
  '57P03': 'wait until Postgres has started and run it again',
  NONCE_CONFIG_INVALID: 'correct NONCE_DATABASE_SCHEMA',
};

const FALLBACK = 'read the message above; a migration that failed has changed nothing';

export function migrationAdvice(error: unknown): string {
  for (const code of codesOf(error)) {
    const advice = ADVICE[code];
    if (advice !== undefined) return advice;
  }
  return FALLBACK;
}

/** Codes of the error, of its causes and of the attempts an AggregateError is made of. */
function codesOf(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  const own = 'code' in error && typeof error.code === 'string' ? [error.code] : [];
  const attempts: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  return [...own, ...[error.cause, ...attempts].flatMap(codesOf)];
}

/** The message, or those of the attempts: an AggregateError of the network has none of its own. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(messageOf).join('; ');
  }
  return error instanceof Error ? error.message : String(error);
}
