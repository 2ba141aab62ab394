import { readFileSync } from 'node:fs';
import { migrate } from '@noncekit/nonce-core';
import { messageOf, migrationAdvice } from './migration-advice';

const DEFAULT_SCHEMA = 'noncekit';

async function main(): Promise<void> {
  const { env } = process;
  const url = databaseUrl(env);
  if (url === undefined) {
    fail('no database was named', 'set NONCE_DATABASE_URL=postgres://user:password@host:5432/name');
    return;
  }
  const schema = env['NONCE_DATABASE_SCHEMA'] ?? DEFAULT_SCHEMA;
  const log = (line: string): void => {
    console.log(line);
  };
  try {
    const { applied } = await migrate({ url, schema, log });
    const what = applied.length === 0 ? 'was up to date' : `${String(applied.length)} applied`;
    console.log(`schema ${schema}: ${what}`);
  } catch (error) {
    fail(`schema ${schema}: ${messageOf(error)}`, migrationAdvice(error));
  }
}

/** As the applications read it: the own name first, the common one second, secrets also from files. */
function databaseUrl(environment: NodeJS.ProcessEnv): string | undefined {
  const file = environment['NONCE_DATABASE_URL_FILE'];
  if (file !== undefined) return readFileSync(file, 'utf8').trim();
  return environment['NONCE_DATABASE_URL'] ?? environment['DATABASE_URL'];
}

function fail(problem: string, fix: string): void {
  console.error(`${problem}\n  fix: ${fix}`);
  process.exitCode = 1;
}

void main();
