import { findApt, installPackages, thisMachine, type Machine } from './apt-packages';
import { findOnPath } from './find-executable';
import { StackError } from './stack-error';

const PROGRAMS = ['redis-server', 'valkey-server'];
/** Newer systems carry Valkey only. */
const PACKAGES = [['redis-server'], ['valkey-server']];

/**
 * The Redis of this machine; on Debian and Ubuntu, as root, it is installed when there is none.
 * @throws StackError that says how to install it.
 */
export async function findRedisBinary(
  log: (line: string) => void,
  machine: Machine = thisMachine(),
): Promise<string> {
  const present = findOnPath(PROGRAMS, machine.path);
  if (present !== undefined) return present;
  const apt = findApt(machine);
  if (apt === undefined) throw missing();
  log('Redis: not on this machine, installing the package redis-server');
  const output = await installPackages(apt, PACKAGES);
  const installed = findOnPath(PROGRAMS, machine.path);
  if (installed === undefined) throw missing(output);
  return installed;
}

function missing(output?: string): StackError {
  const detail = output === undefined ? '' : `; apt-get said:\n${output}`;
  return new StackError(`no redis-server or valkey-server on the PATH${detail}`, {
    fix: 'install it ("apt-get install redis-server", "brew install redis"), or set NONCE_REDIS_URL',
  });
}
