import 'reflect-metadata';
import { Logger as NestLogger, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AdminServer, isNonceError } from '@noncekit/nonce-core';
import { Logger } from 'nestjs-pino';
import { readWorkerEnvironment } from './config/env.schema';
import { WorkerModule } from './worker.module';

/** Closing pools and sockets takes milliseconds; whoever needs longer than this hangs. */
const CLOSING_MS = 5_000;

async function main(): Promise<void> {
  const environment = readWorkerEnvironment();
  const application = await NestFactory.createApplicationContext(
    WorkerModule.forEnvironment(environment),
    { bufferLogs: true, abortOnError: false },
  );
  application.useLogger(application.get(Logger));
  const admin = application.get(AdminServer);
  const { host, adminPort, shutdownDeadlineMs } = environment;
  const url = await admin.start({ host, port: adminPort });
  new NestLogger('Worker').log(`works, admin on ${url}`);
  endOnSignal(() => stop(application, admin), shutdownDeadlineMs + CLOSING_MS);
}

/** The admin port answers until the end, so that it can say that this worker is draining. */
async function stop(application: INestApplicationContext, admin: AdminServer): Promise<void> {
  await application.close();
  await admin.stop();
}

function endOnSignal(end: () => Promise<void>, deadlineMs: number): void {
  let ending = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (ending) return;
    ending = true;
    new NestLogger('Worker').log(`${signal}: finishing what runs`);
    setTimeout(() => process.exit(1), deadlineMs).unref();
    end().then(() => process.exit(0), fail);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

/** Readable text instead of a stack: most failures here are settings to correct. */
function fail(error: unknown): void {
  process.stderr.write(`${describe(error)}\n`);
  process.exit(1);
}

function describe(error: unknown): string {
  if (!isNonceError(error)) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const problems = error.errors.map(({ pointer, detail }) => `  ${pointer.slice(1)} ${detail}`);
  return [error.message, error.fix, ...problems].join('\n');
}

main().catch(fail);
