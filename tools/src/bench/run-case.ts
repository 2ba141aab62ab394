import type {
  BenchCase,
  CaseSettings,
  Comparison,
  Contender,
  Fact,
  Guarantees,
  OpenCase,
} from './bench-case';
import type { BenchStores } from './bench-stores';
import { spreadOf, type Sample, type Spread } from './statistics';

export interface RunSettings extends CaseSettings {
  readonly rounds: number;
  readonly durationMs: number;
  readonly warmUpMs: number;
}

export interface ContenderResult {
  readonly name: string;
  readonly guarantees: Guarantees | null;
  readonly perSecond: Spread;
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
}

export interface ComparisonResult extends Comparison {
  readonly ratio: Spread;
}

export interface CaseResult {
  readonly name: string;
  readonly title: string;
  readonly notes: readonly string[];
  readonly contenders: readonly ContenderResult[];
  readonly comparisons: readonly ComparisonResult[];
  readonly facts: readonly Fact[];
}

type Rounds = ReadonlyMap<string, readonly Sample[]>;

/**
 * Runs the contenders of a case in turn, round after round, so that a busy moment of the machine
 * meets all of them. Every other round goes backwards: nobody always runs right after the same one.
 */
export async function runCase(
  benchCase: BenchCase,
  stores: BenchStores,
  run: { readonly settings: RunSettings; readonly say: (line: string) => void },
): Promise<CaseResult> {
  const { settings, say } = run;
  say(`${benchCase.name}: preparing`);
  try {
    const open = await benchCase.open(stores, settings);
    return await measure(benchCase, open, run).finally(() => open.close());
  } finally {
    await stores.dropAll();
  }
}

async function measure(
  benchCase: BenchCase,
  open: OpenCase,
  { settings, say }: { readonly settings: RunSettings; readonly say: (line: string) => void },
): Promise<CaseResult> {
  const rounds = new Map<string, Sample[]>();
  for (const contender of open.contenders) await warmUp(contender, settings);
  for (let round = 1; round <= settings.rounds; round += 1) {
    const order = round % 2 === 1 ? open.contenders : [...open.contenders].reverse();
    for (const contender of order) {
      const sample = await contender.run(settings.durationMs);
      await contender.tidy?.();
      rounds.set(contender.name, [...(rounds.get(contender.name) ?? []), sample]);
      say(`${benchCase.name}: round ${round} of ${settings.rounds}, ${lineOf(contender, sample)}`);
    }
  }
  return {
    name: benchCase.name,
    title: benchCase.title,
    notes: benchCase.notes ?? [],
    contenders: open.contenders.map((contender) => toContenderResult(contender, rounds)),
    comparisons: open.comparisons.map((comparison) => compare(comparison, rounds)),
    facts: (await open.facts?.()) ?? [],
  };
}

async function warmUp(contender: Contender, settings: RunSettings): Promise<void> {
  if (settings.warmUpMs === 0) return;
  await contender.run(settings.warmUpMs);
  await contender.tidy?.();
}

function toContenderResult(contender: Contender, rounds: Rounds): ContenderResult {
  const samples = samplesOf(contender.name, rounds);
  return {
    name: contender.name,
    guarantees: contender.guarantees ?? null,
    perSecond: spreadOf(samples.map((sample) => sample.perSecond)),
    p50Ms: spreadOf(samples.map((sample) => sample.p50Ms)),
    p99Ms: spreadOf(samples.map((sample) => sample.p99Ms)),
  };
}

function compare(comparison: Comparison, rounds: Rounds): ComparisonResult {
  const { of, to, by } = comparison;
  const yardstick = samplesOf(to, rounds);
  const ratios = samplesOf(of, rounds).map((sample, i) => sample[by] / (yardstick[i]?.[by] ?? NaN));
  return { ...comparison, ratio: spreadOf(ratios) };
}

function samplesOf(name: string, rounds: Rounds): readonly Sample[] {
  const samples = rounds.get(name);
  if (samples === undefined) throw new Error(`no contender is called ${name}`);
  return samples;
}

function lineOf(contender: Contender, sample: Sample): string {
  const rate = Math.round(sample.perSecond).toLocaleString('en-US');
  const times = `p50 ${sample.p50Ms.toFixed(2)} ms, p99 ${sample.p99Ms.toFixed(2)} ms`;
  return `${contender.name}: ${rate}/s, ${times}`;
}
