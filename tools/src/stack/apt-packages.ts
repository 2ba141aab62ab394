import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { findOnPath } from './find-executable';
import { runCommand } from './run-command';

const APT_TIMEOUT_MS = 300_000;
/** Debian asks this file whether a fresh package may start its service. 101 means no. */
const SERVICE_POLICY = '/usr/sbin/policy-rc.d';
/** Another installer may hold the lock for a while. */
const LOCK_OPTIONS = ['-o', 'DPkg::Lock::Timeout=120'];

/** What the search for programs depends on. */
export interface Machine {
  readonly path: string;
  readonly isRoot: boolean;
}

export function thisMachine(): Machine {
  return { path: process.env['PATH'] ?? '', isRoot: process.getuid?.() === 0 };
}

/** The apt-get of a Debian or Ubuntu on which this account may install packages. */
export function findApt(machine: Machine): string | undefined {
  return machine.isRoot ? findOnPath(['apt-get'], machine.path) : undefined;
}

/**
 * Installs the first of `choices`, each a list of packages, that can be installed. Nothing is left
 * running: a package's own service is kept from starting.
 * @returns the last lines apt-get said. Whether the programs are there now is for the caller to see.
 */
export async function installPackages(
  apt: string,
  choices: readonly (readonly string[])[],
): Promise<string> {
  const output = await withoutServices(() => installFirst(apt, choices));
  return output.trimEnd().split('\n').slice(-8).join('\n');
}

async function installFirst(apt: string, choices: readonly (readonly string[])[]): Promise<string> {
  const options = {
    timeoutMs: APT_TIMEOUT_MS,
    environment: { DEBIAN_FRONTEND: 'noninteractive' },
  };
  // Fresh containers have no package lists.
  let { output } = await runCommand(apt, ['update', ...LOCK_OPTIONS], options);
  const parameters = ['install', '-y', '--no-install-recommends', ...LOCK_OPTIONS];
  for (const packages of choices) {
    const attempt = await runCommand(apt, [...parameters, ...packages], options);
    if (attempt.exitCode === 0) return attempt.output;
    output += `\n${attempt.output}`;
  }
  return output;
}

async function withoutServices<T>(work: () => Promise<T>): Promise<T> {
  if (existsSync(SERVICE_POLICY)) return work();
  writeFileSync(SERVICE_POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return await work();
  } finally {
    rmSync(SERVICE_POLICY, { force: true });
  }
}
