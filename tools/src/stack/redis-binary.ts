import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { findOnPath } from './find-executable';
import { runCommand } from './run-command';
import { StackError } from './stack-error';

const PROGRAMS = ['redis-server', 'valkey-server'];
const APT_TIMEOUT_MS = 300_000;
/** Debian asks this file whether a fresh package may start its service. 101 means no. */
const SERVICE_POLICY = '/usr/sbin/policy-rc.d';

/** What the search depends on. */
interface Machine {
  readonly path: string;
  readonly isRoot: boolean;
}

/**
 * The Redis of this machine; on Debian and Ubuntu, as root, it is installed when there is none.
 * @throws StackError that says how to install it.
 */
export async function findRedisBinary(
  log: (line: string) => void,
  machine: Machine = { path: process.env['PATH'] ?? '', isRoot: process.getuid?.() === 0 },
): Promise<string> {
  const present = findOnPath(PROGRAMS, machine.path);
  if (present !== undefined) return present;
  const apt = findOnPath(['apt-get'], machine.path);
  if (apt === undefined || !machine.isRoot) throw missing();
  log('Redis: not on this machine, installing the package redis-server');
  const output = await withoutServices(() => install(apt));
  const installed = findOnPath(PROGRAMS, machine.path);
  if (installed === undefined) throw missing(output);
  return installed;
}

async function install(apt: string): Promise<string> {
  const options = {
    timeoutMs: APT_TIMEOUT_MS,
    environment: { DEBIAN_FRONTEND: 'noninteractive' },
  };
  // Another installer may hold the lock for a while; fresh containers have no package lists.
  const lock = ['-o', 'DPkg::Lock::Timeout=120'];
  const update = await runCommand(apt, ['update', ...lock], options);
  const parameters = ['install', '-y', '--no-install-recommends', ...lock];
  const redis = await runCommand(apt, [...parameters, 'redis-server'], options);
  if (redis.exitCode === 0) return redis.output;
  const valkey = await runCommand(apt, [...parameters, 'valkey-server'], options);
  return [update.output, redis.output, valkey.output].join('\n');
}

/** Keeps the package's own service from starting, so that nothing is left running on port 6379. */
async function withoutServices<T>(work: () => Promise<T>): Promise<T> {
  if (existsSync(SERVICE_POLICY)) return work();
  writeFileSync(SERVICE_POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return await work();
  } finally {
    rmSync(SERVICE_POLICY, { force: true });
  }
}

function missing(output?: string): StackError {
  const detail = output === undefined ? '' : `; apt-get said:\n${lastLines(output)}`;
  return new StackError(`no redis-server or valkey-server on the PATH${detail}`, {
    fix: 'install it ("apt-get install redis-server", "brew install redis"), or set NONCE_REDIS_URL',
  });
}

function lastLines(output: string): string {
  return output.trimEnd().split('\n').slice(-8).join('\n');
}
