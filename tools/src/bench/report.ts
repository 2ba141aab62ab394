import type { Comparison, Fact, Guarantees } from './bench-case';
import { formatNumber, formatSpread, markdownTable, plainTable } from './format-table';
import type { MachineFacts } from './machine-facts';
import type { CaseResult, ComparisonResult, ContenderResult } from './run-case';

export interface BenchReport {
  readonly command: string;
  readonly machine: MachineFacts;
  readonly rounds: number;
  readonly seconds: number;
  readonly cases: readonly CaseResult[];
  /** Cases left out, each with the reason. */
  readonly missing: readonly { readonly name: string; readonly reason: string }[];
}

const UNITS: Readonly<Record<Comparison['by'], string>> = {
  perSecond: 'calls/s',
  p50Ms: 'p50',
  p99Ms: 'p99',
};

const RATIO_HEAD = ['case', 'ratio', 'of', 'reached', 'figure'];
const CONTENDER_HEAD = ['contender', 'calls/s', 'p50 ms', 'p99 ms'];
const GUARANTEE_HEAD = ['contender', 'survives a crash', 'several processes', 'reuse of unspent'];
const FACT_HEAD = ['what', 'value', 'figure'];

export function plainReport(report: BenchReport): string {
  const parts = report.cases.flatMap((result) => [
    `\n${result.title}\n`,
    ...(result.contenders.length === 0
      ? []
      : [plainTable(CONTENDER_HEAD, result.contenders.map(contenderRow))]),
    ...(result.facts.length === 0 ? [] : [plainTable(FACT_HEAD, result.facts.map(factRow))]),
  ]);
  const left = report.missing.map(({ name, reason }) => `${name}: left out, ${reason}`);
  return [
    ...parts,
    '\nRatios within the run\n',
    plainTable(RATIO_HEAD, ratioRows(report)),
    ...left,
  ].join('\n');
}

/** The page kept in docs/. */
export function markdownReport(report: BenchReport): string {
  const { machine } = report;
  const parts = [
    '# Benchmarks',
    `Written by \`${report.command}\` on ${machine.date}. ${report.rounds} rounds of ${report.seconds} s; every case runs in turn with its yardstick, and each value is the median [min–max] of the rounds.`,
    `${machine.cores} cores (${machine.platform}), shared by the program, the stores and whatever else runs; Node ${machine.node}, Postgres ${machine.postgres} with fsync ${machine.fsync}, Redis ${machine.redis}, all on the loopback interface. Read the ratios: they are taken within one run. Calls per second depend on the machine and are beside them for scale only.`,
    '## Ratios',
    markdownTable(RATIO_HEAD, ratioRows(report)),
    ...report.missing.map(({ name, reason }) => `Not in this run: ${name}, because ${reason}.`),
    ...report.cases.flatMap(caseParts),
  ];
  return `${parts.join('\n\n')}\n`;
}

function caseParts(result: CaseResult): string[] {
  const { contenders, facts } = result;
  const promises = contenders.flatMap(({ name, guarantees }) =>
    guarantees === null ? [] : [guaranteeRow(name, guarantees)],
  );
  return [
    `## ${result.title}`,
    ...(contenders.length === 0
      ? []
      : [markdownTable(CONTENDER_HEAD, contenders.map(contenderRow))]),
    ...(facts.length === 0 ? [] : [markdownTable(FACT_HEAD, facts.map(factRow))]),
    ...(promises.length === 0
      ? []
      : ['What each of them promises:', markdownTable(GUARANTEE_HEAD, promises)]),
    ...result.notes,
  ];
}

function ratioRows(report: BenchReport): string[][] {
  return report.cases.flatMap((result) =>
    result.comparisons.map((comparison) => ratioRow(result.name, comparison)),
  );
}

function ratioRow(caseName: string, comparison: ComparisonResult): string[] {
  const { label, by, ratio, target } = comparison;
  return [caseName, label, UNITS[by], formatSpread(ratio), target];
}

function contenderRow({ name, perSecond, p50Ms, p99Ms }: ContenderResult): string[] {
  return [name, formatSpread(perSecond), formatSpread(p50Ms), formatSpread(p99Ms)];
}

function guaranteeRow(name: string, guarantees: Guarantees): string[] {
  return [name, guarantees.crashSafe, guarantees.severalProcesses, guarantees.reuse];
}

function factRow({ label, value, unit, target }: Fact): string[] {
  return [label, `${formatNumber(value)} ${unit}`, target];
}
