import type { Machine } from '../stack/apt-packages';
import { installedProgram } from '../stack/installed-program';

/** spin writes a checker in C for each model, and calls gcc itself for the preprocessor. */
export interface CheckerTools {
  readonly spin: string;
  readonly gcc: string;
}

const FIX = 'install both: "apt-get install spin gcc libc6-dev", or "brew install spin gcc"';

/**
 * spin and gcc of this machine, installed where that is possible.
 * @throws StackError that says how to install them.
 */
export async function findCheckerTools(
  log: (line: string) => void,
  machine?: Machine,
): Promise<CheckerTools> {
  const spin = { name: 'spin', programs: ['spin'], packages: [['spin']], fix: FIX };
  // gcc alone brings no headers when recommended packages are left out.
  const gcc = { name: 'gcc', programs: ['gcc'], packages: [['gcc', 'libc6-dev']], fix: FIX };
  return {
    spin: await installedProgram(spin, log, machine),
    gcc: await installedProgram(gcc, log, machine),
  };
}
