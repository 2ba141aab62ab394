import { Client } from 'pg';
import { rememberedStack, sharedServers } from './shared-servers';

/** Ends what the global setup started; a Postgres that was given is left as it was found. */
export default async function globalTeardown(): Promise<void> {
  const stack = rememberedStack();
  if (stack === undefined) return;
  if (stack.servers.postgres === undefined) await dropTemplate();
  await stack.stop();
}

async function dropTemplate(): Promise<void> {
  const { adminUrl, templateName } = sharedServers();
  const admin = new Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`DROP DATABASE IF EXISTS ${templateName}`);
  await admin.end();
}
