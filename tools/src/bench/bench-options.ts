export interface BenchOptions {
  /** Cases to run; empty stands for all. */
  readonly names: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly long: boolean;
  readonly jsonFile: string | undefined;
}

const DEFAULTS = { rounds: 5, seconds: 3 };
/** Fewer rounds have no spread to speak of. */
const MIN_ROUNDS = 3;

const USAGE = `npm run bench [-- NAME… OPTIONS]

  NAME…          cases to run; all of them when none is named, and then docs/benchmarks.md is rewritten
  --rounds N     rounds of each case, at least ${MIN_ROUNDS} (${DEFAULTS.rounds})
  --seconds S    length of one run (${DEFAULTS.seconds})
  --long         the large sizes of growth: a million allocations, a hundred thousand submitters
  --json FILE    also write the figures as JSON
`;

/** @throws Error that names the first word it does not understand. */
export function readBenchOptions(
  words: readonly string[],
  knownNames: readonly string[],
): BenchOptions {
  const names: string[] = [];
  let { rounds, seconds } = DEFAULTS;
  let long = false;
  let jsonFile: string | undefined;
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--long') long = true;
    else if (word === '--rounds') rounds = numberAfter(word, rest.shift());
    else if (word === '--seconds') seconds = numberAfter(word, rest.shift());
    else if (word === '--json') jsonFile = textAfter(word, rest.shift());
    else if (knownNames.includes(word)) names.push(word);
    else throw new Error(`unknown ${word}; the cases are ${knownNames.join(', ')}\n\n${USAGE}`);
  }
  if (!Number.isInteger(rounds) || rounds < MIN_ROUNDS) {
    throw new Error(`--rounds takes a whole number from ${MIN_ROUNDS}\n\n${USAGE}`);
  }
  return { names, rounds, seconds, long, jsonFile };
}

/** The command that repeats a run. Where its JSON went is nobody's concern. */
export function commandOf({ names, rounds, seconds, long }: BenchOptions): string {
  const words = [
    ...names,
    ...(rounds === DEFAULTS.rounds ? [] : [`--rounds ${rounds}`]),
    ...(seconds === DEFAULTS.seconds ? [] : [`--seconds ${seconds}`]),
    ...(long ? ['--long'] : []),
  ];
  return words.length === 0 ? 'npm run bench' : `npm run bench -- ${words.join(' ')}`;
}

function numberAfter(option: string, word: string | undefined): number {
  const value = Number(textAfter(option, word));
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`${option} takes a number above 0\n\n${USAGE}`);
}

function textAfter(option: string, word: string | undefined): string {
  if (word === undefined || word.startsWith('--')) {
    throw new Error(`${option} needs a value\n\n${USAGE}`);
  }
  return word;
}
