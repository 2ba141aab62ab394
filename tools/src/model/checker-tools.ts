import { findApt, installPackages, thisMachine, type Machine } from '../stack/apt-packages';
import { findOnPath } from '../stack/find-executable';
import { StackError } from '../stack/stack-error';

/** spin writes a checker in C for each model, and calls gcc itself for the preprocessor. */
export interface CheckerTools {
  readonly spin: string;
  readonly gcc: string;
}

/** gcc alone brings no headers when recommended packages are left out. */
const PACKAGES = [['spin', 'gcc', 'libc6-dev']];

/**
 * spin and gcc of this machine; on Debian and Ubuntu, as root, they are installed when missing.
 * @throws StackError that says how to install them.
 */
export async function findCheckerTools(
  log: (line: string) => void,
  machine: Machine = thisMachine(),
): Promise<CheckerTools> {
  const present = findBoth(machine);
  if (present !== undefined) return present;
  const apt = findApt(machine);
  if (apt === undefined) throw missing();
  log('spin or gcc: not on this machine, installing the packages spin and gcc');
  const output = await installPackages(apt, PACKAGES);
  const installed = findBoth(machine);
  if (installed === undefined) throw missing(output);
  return installed;
}

function findBoth({ path }: Machine): CheckerTools | undefined {
  const spin = findOnPath(['spin'], path);
  const gcc = findOnPath(['gcc'], path);
  return spin === undefined || gcc === undefined ? undefined : { spin, gcc };
}

function missing(output?: string): StackError {
  const detail = output === undefined ? '' : `; apt-get said:\n${output}`;
  return new StackError(`no spin or no gcc on the PATH${detail}`, {
    fix: 'install both: "apt-get install spin gcc libc6-dev", or "brew install spin gcc"',
  });
}
