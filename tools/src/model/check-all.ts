import { plainTable } from '../bench/format-table';
import { ServerDirectory } from '../stack/server-directory';
import { checkCase, recipeOf } from './check-case';
import type { CheckerTools } from './checker-tools';
import type { ModelCase } from './model-case';
import { isMet, type Verdict } from './pan-report';

/** The machine the limit of a minute is meant for has two cores. */
const CASES_AT_ONCE = 2;

export interface CheckedCase {
  readonly modelCase: ModelCase;
  readonly verdict: Verdict;
  readonly elapsedMs: number;
}

/** Checks every case, in a temporary directory that is removed however the run ends. */
export async function checkAll(
  cases: readonly ModelCase[],
  { tools, say }: { readonly tools: CheckerTools; readonly say: (line: string) => void },
): Promise<readonly CheckedCase[]> {
  const directory = ServerDirectory.open(undefined);
  const waiting = [...cases];
  const checked: CheckedCase[] = [];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const startedMs = performance.now();
      const verdict = await checkCase(next, { tools, directory: directory.path });
      const done = { modelCase: next, verdict, elapsedMs: performance.now() - startedMs };
      checked.push(done);
      say(`[${checked.length}/${cases.length}] ${lineOf(done)}`);
    }
  };
  const lanes = Array.from({ length: CASES_AT_ONCE }, lane);
  try {
    await Promise.all(lanes);
  } finally {
    // The other lane still works in the directory when one has failed.
    waiting.length = 0;
    await Promise.allSettled(lanes);
    await directory.release();
  }
  return cases.flatMap((modelCase) => checked.filter((done) => done.modelCase === modelCase));
}

/** The closing table, and for each expectation that is not met how to see why. */
export function reportOf(checked: readonly CheckedCase[]): string {
  const head = ['case', 'expected', 'found', 'states', 'seconds'];
  const rows = checked.map(({ modelCase, verdict, elapsedMs }) => [
    modelCase.title,
    modelCase.expected,
    verdict.kind,
    statesOf(verdict),
    seconds(elapsedMs),
  ]);
  const surprises = checked.filter(({ modelCase, verdict }) => !isMet(modelCase, verdict));
  const recipes = surprises.map(
    ({ modelCase }) => `\nNOT MET: ${modelCase.title}\n  by hand: ${recipeOf(modelCase)}`,
  );
  const sum = `\n${checked.length - surprises.length} of ${checked.length} as expected`;
  return [plainTable(head, rows), ...recipes, sum].join('\n');
}

function lineOf({ modelCase, verdict, elapsedMs }: CheckedCase): string {
  const mark = isMet(modelCase, verdict) ? 'ok' : `FAILED, ${foundIn(verdict)}`;
  return `${modelCase.title}: ${mark}, ${statesOf(verdict)} states (${seconds(elapsedMs)} s)`;
}

function foundIn(verdict: Verdict): string {
  return verdict.kind === 'undecided' ? verdict.reason : verdict.kind;
}

function statesOf(verdict: Verdict): string {
  return verdict.kind === 'undecided' ? '?' : verdict.states.toLocaleString('en-US');
}

function seconds(elapsedMs: number): string {
  return (elapsedMs / 1_000).toFixed(1);
}
