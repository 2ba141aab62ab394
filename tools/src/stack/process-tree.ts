import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { runCommand } from './run-command';

const HAS_PROC = existsSync('/proc/self/stat');

/** Pids of the direct children of a process: for Postgres its backends and background writers. */
export async function childrenOf(parentPid: number): Promise<readonly number[]> {
  const pairs = HAS_PROC ? pairsFromProc() : await pairsFromPs();
  return pairs.filter(([, parent]) => parent === parentPid).map(([pid]) => pid);
}

/** A zombie counts as gone: in a container nobody may ever collect an orphan's exit code. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !HAS_PROC || parentFromProc(String(pid)) !== undefined;
  } catch (error) {
    // EPERM means that it lives under another account.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Sends a signal; a process that is already gone is no error. */
export function signalPid(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

type PidAndParent = readonly [pid: number, parent: number];

function pairsFromProc(): readonly PidAndParent[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name): readonly PidAndParent[] => {
      const parent = parentFromProc(name);
      return parent === undefined ? [] : [[Number(name), parent]];
    });
}

/** Undefined for a process that is gone or only waits for its exit code to be collected. */
function parentFromProc(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may itself hold blanks.
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? undefined : Number(parent);
  } catch {
    return undefined;
  }
}

async function pairsFromPs(): Promise<readonly PidAndParent[]> {
  const { output } = await runCommand('ps', ['-A', '-o', 'pid=,ppid='], { timeoutMs: 5_000 });
  return output
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid, parent]) => (pid === undefined || parent === undefined ? [] : [[pid, parent]]));
}
