import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../stack/run-command';
import { StackError } from '../stack/stack-error';
import { WORKSPACE_ROOT } from '../workspace/workspace-root';
import type { CheckerTools } from './checker-tools';
import type { ModelCase } from './model-case';
import { readPanReport, type Verdict } from './pan-report';

const MODELS = 'tools/model';
const BUILD_TIMEOUT_MS = 60_000;
/** The largest search takes two minutes on a free core. */
const SEARCH_TIMEOUT_MS = 1_200_000;
/**
 * -DCOLLAPSE compresses states without loss. Lossy ways of storing them (-DBITSTATE, -DHC) would
 * make every proof a guess.
 */
const STORE_ALL = ['-DCOLLAPSE', '-DSAFETY', '-DNOFAIR'];

/**
 * Generates, compiles and runs the checker of one case in a folder of its own below `directory`.
 * @throws StackError when the checker cannot be built.
 */
export async function checkCase(
  modelCase: ModelCase,
  { tools, directory }: { readonly tools: CheckerTools; readonly directory: string },
): Promise<Verdict> {
  const folder = join(directory, modelCase.title.replaceAll(/\W+/g, '-'));
  mkdirSync(folder);
  const [generate, compile, search] = commandsOf(modelCase, join(WORKSPACE_ROOT, MODELS));
  await build([tools.spin, ...generate.slice(1)], folder);
  await build([tools.gcc, ...compile.slice(1)], folder);
  const { output } = await runCommand(join(folder, 'pan'), search.slice(1), {
    timeoutMs: SEARCH_TIMEOUT_MS,
    directory: folder,
    endsWithUs: true,
  });
  rmSync(folder, { recursive: true });
  return readPanReport(output);
}

/** How to repeat a case by hand, from the root of the repository, and to see each of its steps. */
export function recipeOf(modelCase: ModelCase): string {
  const [generate, compile, search] = commandsOf(modelCase, `"$OLDPWD"/${MODELS}`);
  const trail = `${modelCase.model}.pml.trail`;
  const replay = ['spin', '-t', '-p', '-g', '-k', trail, ...generate.slice(2)];
  const commands = [generate, compile, search, replay].map((words) => words.join(' '));
  return ['cd "$(mktemp -d)"', ...commands].join(' && ');
}

type Command = readonly [program: string, ...words: string[]];

function commandsOf(
  { model, defines, panOptions, expected }: ModelCase,
  models: string,
): readonly [Command, Command, Command] {
  // A counterexample is found within seconds even unoptimised, and then gcc is what takes the time.
  const optimisation = expected === 'broken' ? '-O0' : '-O2';
  return [
    ['spin', '-a', ...defines.map((define) => `-D${define}`), join(models, `${model}.pml`)],
    ['gcc', optimisation, '-w', ...STORE_ALL, '-o', 'pan', 'pan.c'],
    ['./pan', ...panOptions],
  ];
}

async function build([program, ...words]: Command, directory: string): Promise<void> {
  const { exitCode, output } = await runCommand(program, words, {
    timeoutMs: BUILD_TIMEOUT_MS,
    directory,
  });
  if (exitCode === 0) return;
  throw new StackError(`${program} ${words.join(' ')} failed:\n${output.trimEnd()}`, {
    fix: 'the models are written for spin 6.5 and need a gcc with the headers of libc',
  });
}
