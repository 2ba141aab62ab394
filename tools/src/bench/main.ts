import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Stack } from '../stack/stack';
import { startStack } from '../stack/start-stack';
import { WORKSPACE_ROOT } from '../workspace/workspace-root';
import type { BenchCase } from './bench-case';
import { commandOf, readBenchOptions, type BenchOptions } from './bench-options';
import { BenchStores } from './bench-stores';
import { CASES } from './cases/all-cases';
import { machineFacts } from './machine-facts';
import { markdownReport, plainReport, type BenchReport } from './report';
import { runCase, type CaseResult } from './run-case';

const PAGE = 'docs/benchmarks.md';
const WARM_UP_MS = 1_000;
/** A checkpoint in the middle of a round would be measured instead of the contender. */
const POSTGRES_SETTINGS = { max_wal_size: '4GB', checkpoint_timeout: '30min' };

async function main(): Promise<void> {
  const names = CASES.map((benchCase) => benchCase.name);
  const options = readBenchOptions(process.argv.slice(2), names);
  // Servers of its own, whatever the environment offers: others must not share what is measured.
  const stack = await startStack({
    environment: {},
    log: say,
    postgresSettings: POSTGRES_SETTINGS,
  });
  try {
    const report = { ...(await runCases(stack, options)), command: commandOf(options) };
    say(plainReport(report));
    if (options.jsonFile !== undefined) {
      writeFileSync(options.jsonFile, `${JSON.stringify(report, null, 2)}\n`);
    }
    if (options.names.length === 0) {
      writeFileSync(join(WORKSPACE_ROOT, PAGE), markdownReport(report));
      say(`\nwrote ${PAGE}`);
    }
  } finally {
    await stack.stop();
  }
}

async function runCases(
  stack: Stack,
  options: BenchOptions,
): Promise<Omit<BenchReport, 'command'>> {
  const stores = new BenchStores(stack);
  const { rounds, seconds, long } = options;
  const settings = { rounds, long, durationMs: seconds * 1_000, warmUpMs: WARM_UP_MS };
  const wanted = CASES.filter(
    ({ name }) => options.names.length === 0 || options.names.includes(name),
  );
  const cases: CaseResult[] = [];
  const missing: { name: string; reason: string }[] = [];
  for (const benchCase of wanted) {
    const lacking = lackOf(benchCase, stack);
    if (lacking === undefined) cases.push(await runCase(benchCase, stores, { settings, say }));
    else missing.push({ name: benchCase.name, reason: lacking });
  }
  return { machine: await machineFacts(stack), rounds, seconds, cases, missing };
}

function lackOf({ needs }: BenchCase, stack: Stack): string | undefined {
  if (needs === 'redis' && stack.redisUrl === undefined) return 'there is no Redis';
  if (needs === 'chain' && stack.chain === undefined) return 'there is no chain';
  return undefined;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
