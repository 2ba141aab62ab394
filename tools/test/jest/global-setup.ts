import { Client } from 'pg';
import { migrate } from '../../../libs/nonce-core/src/postgres/migrate';
import { findAnvilBinary } from '../../src/stack/anvil-binary';
import { startStack, type Stack } from '../../src/stack/index';
import { rememberStack } from './shared-servers';

/** Starts the servers that all test files share. Fails, never skips, when one cannot be had. */
export default async function globalSetup(): Promise<void> {
  const stack = await startStack({
    log: (line) => process.stdout.write(`stack: ${line}\n`),
    chain: false,
    // Test databases come and go by the hundred; their files need not survive the machine.
    redisConfig: ['appendonly no'],
  });
  try {
    const redisUrl = requireEverything(stack);
    const templateName = await createTemplate(stack.databaseUrl);
    rememberStack(stack, { adminUrl: stack.databaseUrl, redisUrl, templateName });
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

function requireEverything(stack: Stack): string {
  findAnvilBinary();
  if (stack.redisUrl !== undefined) return stack.redisUrl;
  throw new Error(`The tests need Redis: ${stack.missing.map((part) => part.problem).join('\n')}`);
}

/** A migrated database that nobody may connect to, so that copying it never waits for anybody. */
async function createTemplate(adminUrl: string): Promise<string> {
  const name = `noncekit_template_${String(process.pid)}`;
  const admin = new Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    await admin.query(`CREATE DATABASE ${name} TEMPLATE template0`);
    const url = new URL(adminUrl);
    url.pathname = `/${name}`;
    await migrate({ url: url.href, schema: 'noncekit' });
    await admin.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false`);
  } finally {
    await admin.end();
  }
  return name;
}
