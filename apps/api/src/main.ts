import 'reflect-metadata';
import { isNonceError } from '@noncekit/nonce-core';
import { Logger } from '@nestjs/common';
import { ApiServer } from './api-server';
import { readApiEnvironment } from './config/env.schema';

/** Closing pools and sockets takes milliseconds; whoever needs longer than this hangs. */
const CLOSING_MS = 5_000;

async function main(): Promise<void> {
  const environment = readApiEnvironment();
  const server = await ApiServer.start(environment);
  const logger = new Logger('Api');
  logger.log(`listening on ${server.addresses.publicUrl}, admin on ${server.addresses.adminUrl}`);
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    logger.log(`${signal}: finishing what runs`);
    setTimeout(() => process.exit(1), environment.shutdownDeadlineMs + CLOSING_MS).unref();
    server
      .stop(environment.shutdownDeadlineMs)
      .then((finished) => process.exit(finished ? 0 : 1), failStart);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/** Readable text instead of a stack: most failures here are settings to correct. */
function failStart(error: unknown): void {
  process.stderr.write(`${describe(error)}\n`);
  process.exit(1);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!isNonceError(error)) return error.stack ?? error.message;
  const problems = error.errors.map(({ pointer, detail }) => `  ${pointer.slice(1)} ${detail}`);
  const cause = error.cause instanceof Error ? [`  ${error.cause.message}`] : [];
  return [`${error.code}: ${error.fix}`, ...problems, ...cause].join('\n');
}

main().catch(failStart);
