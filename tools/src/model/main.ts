import { checkAll, reportOf } from './check-all';
import { findCheckerTools } from './checker-tools';
import { CLAIMS, LONG_CLAIMS } from './claims';
import { casesOf } from './model-case';
import { isMet } from './pan-report';

const USAGE = `npm run model [-- --long]

  --long   also the widest bounds: minutes, and up to 2 GB of memory for each of two cases
`;

async function main(words: readonly string[]): Promise<void> {
  const unknown = words.find((word) => word !== '--long');
  if (unknown !== undefined) throw new Error(`unknown option ${unknown}\n\n${USAGE}`);
  const claims = words.includes('--long') ? [...CLAIMS, ...LONG_CLAIMS] : CLAIMS;
  const startedMs = performance.now();
  const tools = await findCheckerTools(say);
  const checked = await checkAll(casesOf(claims), { tools, say });
  const elapsed = ((performance.now() - startedMs) / 1_000).toFixed(1);
  say(`\n${reportOf(checked)}, in ${elapsed} s`);
  if (!checked.every(({ modelCase, verdict }) => isMet(modelCase, verdict))) process.exitCode = 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
