/**
 * What `npm test` and `npm run lint` run: the build, then the checks and every test. Plain JavaScript,
 * because it has to work before anything is built. Nothing is checked that was not built; the checks
 * that follow a failing one are left out. Parameters go to Jest: `npm test -- allocate` runs
 * everything else and those test files.
 */
import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
/** The machine the limit of 15 minutes is meant for has two cores. */
const CHECKS_AT_ONCE = 2;

const bin = (name) => join(ROOT, 'node_modules/.bin', name);
const tool = (name) => [process.execPath, join(ROOT, `tools/dist/${name}/main.js`)];

const BUILD = {
  name: 'build',
  command: [bin('nx'), 'run-many', '-t', 'build', '--parallel=2', '--outputStyle=static'],
};

/** Longest first, so that the two that run at once end at about the same time. */
const CHECKS = [
  { name: 'lint', command: [bin('eslint'), '.'], fix: 'npx eslint . --fix' },
  { name: 'types of the tests', command: [bin('tsc'), '-p', 'tsconfig.eslint.json'] },
  { name: 'format', command: [bin('prettier'), '--check', '.'], fix: 'npm run format' },
  { name: 'unused code', command: [bin('knip')] },
  { name: 'architecture', command: tool('architecture') },
  { name: 'Docker files', command: tool('docker-lint') },
  ...['libs/nonce-core', 'libs/chain-adapter', 'tools/noncectl'].map((folder) => ({
    name: `package ${folder}`,
    command: [bin('publint'), folder, '--strict'],
  })),
  {
    name: 'generated files are fresh',
    command: [...tool('generate'), '--check'],
    fix: 'npm run generate',
  },
];

const PARAMETERS = process.argv.slice(2);
const CHECKS_ONLY = PARAMETERS.includes('--checks-only');
const TESTS = { name: 'tests', command: [bin('jest'), ...PARAMETERS] };
/** Tests wait a quarter of their time: the checks beside them take only what they leave. */
const BESIDE_TESTS = { atOnce: 1, priority: constants.priority.PRIORITY_LOW };
const ALONE = { atOnce: CHECKS_AT_ONCE, priority: constants.priority.PRIORITY_NORMAL };

const total = 1 + CHECKS.length + (CHECKS_ONLY ? 0 : 1);
let begun = 0;
const failed = [];

process.exitCode = (await runAll()) ? 0 : 1;

async function runAll() {
  const startedMs = performance.now();
  const passed =
    (await runVisibly(BUILD)) && (CHECKS_ONLY ? await runChecks(ALONE) : await runChecksAndTests());
  if (passed) console.log(`\nall ${total} steps passed in ${seconds(startedMs)}`);
  else console.error(`\nfailed: ${failed.join(', ')} (after ${seconds(startedMs)})`);
  return passed;
}

/** A step whose own output is of interest while it runs. */
async function runVisibly(step) {
  const { label, startedMs } = announce(step);
  const { ok } = await run(step, 'inherit');
  return conclude({ step, label, startedMs, ok });
}

async function runChecksAndTests() {
  const ended = await Promise.all([runChecks(BESIDE_TESTS), runVisibly(TESTS)]);
  return ended.every(Boolean);
}

/** All checks, a few at a time; the output of one is shown only when it fails. */
async function runChecks({ atOnce, priority }) {
  const waiting = [...CHECKS];
  let passed = true;
  const lane = async () => {
    for (let step = waiting.shift(); step !== undefined && passed; step = waiting.shift()) {
      const { label, startedMs } = announce(step);
      const { ok, output } = await run(step, 'pipe', priority);
      if (!ok) process.stdout.write(output);
      passed = conclude({ step, label, startedMs, ok }) && passed;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return passed;
}

function announce(step) {
  begun += 1;
  const label = `[${begun}/${total}] ${step.name}`;
  console.log(`${label} …`);
  return { label, startedMs: performance.now() };
}

function conclude({ step, label, startedMs, ok }) {
  console.log(`${label}: ${ok ? 'ok' : 'FAILED'} (${seconds(startedMs)})`);
  if (!ok) {
    failed.push(step.name);
    const command = step.command.map((part) => part.replace(`${ROOT}/`, '')).join(' ');
    console.error(`\nfailed step: ${step.name}\n  run it alone: ${command}`);
    if (step.fix !== undefined) console.error(`  fix: ${step.fix}`);
  }
  return ok;
}

function run({ command: [program, ...parameters] }, output, priority = ALONE.priority) {
  return new Promise((resolve) => {
    const child = spawn(program, parameters, {
      cwd: ROOT,
      stdio: ['ignore', output, output],
      env: { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false' },
    });
    if (child.pid !== undefined) setPriority(child.pid, priority);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        text += chunk;
      });
    }
    child.once('error', (error) => {
      resolve({ ok: false, output: `${error.message}\n  fix: npm ci\n` });
    });
    child.once('close', (exitCode) => {
      resolve({ ok: exitCode === 0, output: text });
    });
  });
}

function seconds(startedMs) {
  return `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
}
