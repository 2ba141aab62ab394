import { findApt, installPackages, thisMachine, type Machine } from './apt-packages';
import { findOnPath } from './find-executable';
import { StackError } from './stack-error';

export interface WantedProgram {
  /** How messages call it. */
  readonly name: string;
  /** Any of these will do. */
  readonly programs: readonly string[];
  /** Debian packages that bring it, each entry a choice of its own. */
  readonly packages: readonly (readonly string[])[];
  readonly fix: string;
}

/**
 * The full path of a program of this machine; on Debian and Ubuntu, as root, it is installed when
 * it is missing.
 * @throws StackError that says how to install it.
 */
export async function installedProgram(
  wanted: WantedProgram,
  log: (line: string) => void,
  machine: Machine = thisMachine(),
): Promise<string> {
  const present = findOnPath(wanted.programs, machine.path);
  if (present !== undefined) return present;
  const apt = findApt(machine);
  if (apt === undefined) throw missing(wanted);
  const packages = wanted.packages[0] ?? [];
  log(`${wanted.name}: not on this machine, installing the package ${packages.join(', ')}`);
  const output = await installPackages(apt, wanted.packages);
  const installed = findOnPath(wanted.programs, machine.path);
  if (installed === undefined) throw missing(wanted, output);
  return installed;
}

function missing({ programs, fix }: WantedProgram, output?: string): StackError {
  const detail = output === undefined ? '' : `; apt-get said:\n${output}`;
  return new StackError(`no ${programs.join(' or ')} on the PATH${detail}`, { fix });
}
