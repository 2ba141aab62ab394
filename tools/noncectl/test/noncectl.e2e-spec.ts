import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { NodeProcess } from '@noncekit/test-support/node-process';
import { openTestDatabase, type TestDatabase } from '@noncekit/test-support/test-database';
import { RedisServer } from '../../src/stack/index';
import type { DryRun, Mode, ModeSwitch } from '../src/http/answers';

const ROOT = resolve(__dirname, '../../..');
const PROGRAM = join(ROOT, 'tools/noncectl/bin/noncectl.cjs');
const START_LIMIT_MS = 300;

interface LogLine {
  readonly msg?: string;
}

let database: TestDatabase;
let redis: RedisServer;
let folder = '';
let url = '';
const processes: NodeProcess<LogLine>[] = [];

/** Two apps as they are deployed, and keys as an operator would have them. */
beforeAll(async () => {
  [database, redis] = await Promise.all([openTestDatabase(), RedisServer.start()]);
  folder = mkdtempSync(join(tmpdir(), 'noncectl-'));
  const writer = 'w'.repeat(32);
  const reader = 'r'.repeat(32);
  writeFileSync(join(folder, 'writer'), writer);
  writeFileSync(join(folder, 'reader'), reader);
  writeFileSync(
    join(folder, 'keys'),
    `operator:ops:read,ops:write:${writer}\nwatcher:ops:read:${reader}\n`,
  );
  const worker = start('flush-worker');
  const api = start('api', { NONCE_API_KEYS_FILE: join(folder, 'keys') });
  const line = await api.message((log) => log.msg?.startsWith('listening') === true, 'its ports');
  url = /http:\S+?(?=,|$)/.exec(line.msg ?? '')?.[0] ?? '';
  await worker.message((log) => /admin on/.test(log.msg ?? ''), 'its port');
});

afterAll(async () => {
  await Promise.all(processes.map((one) => one.stop()));
  await Promise.all([redis.stop(), database.close()]);
  rmSync(folder, { recursive: true });
});

function start(app: string, more: Readonly<Record<string, string>> = {}): NodeProcess<LogLine> {
  const environment = {
    NONCE_DATABASE_URL: database.url,
    NONCE_DATABASE_SCHEMA: database.schema,
    NONCE_REDIS_URL: redis.url,
    HOST: '127.0.0.1',
    PORT: '0',
    NONCE_ADMIN_PORT: '0',
    LOG_LEVEL: 'info',
    ...more,
  };
  const one = NodeProcess.start<LogLine>(join(ROOT, `apps/${app}/src/main.ts`), { environment });
  processes.push(one);
  return one;
}

interface Run {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

function noncectl(parameters: readonly string[], key = 'writer'): Promise<Run> {
  return run([process.execPath, PROGRAM, ...parameters], key);
}

/** As an operator's script has it: with the programs of the workspace, and no other shell settings. */
function inShell(script: string): Promise<Run> {
  return run(['/bin/sh', '-c', script], 'writer');
}

async function run([program, ...parameters]: readonly [string, ...string[]], key: string) {
  const environment = { NONCE_API_URL: url, NONCE_API_KEY_FILE: join(folder, key) };
  const path = [join(ROOT, 'node_modules/.bin'), process.env['PATH']].join(delimiter);
  const child = spawn(program, parameters, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: path, ...environment },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')));
  const [exitCode] = (await once(child, 'close')) as [number];
  return { exitCode, out, err };
}

async function answerOf<Answer>(...parameters: readonly string[]): Promise<Answer> {
  return JSON.parse((await noncectl([...parameters, '--json'])).out) as Answer;
}

const switchTo = (mode: string, ...more: readonly string[]) =>
  noncectl(['mode', 'switch', mode, '--reason', `to ${mode}`, ...more]);

it('starts in less than 300 ms', async () => {
  const times: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const begunMs = performance.now();
    expect((await noncectl(['--help'])).exitCode).toBe(0);
    times.push(performance.now() - begunMs);
  }
  // The quickest: what a busy machine adds is not the program's.
  expect(Math.min(...times)).toBeLessThan(START_LIMIT_MS);
});

describe('against an api process', () => {
  it('shows the mode of the first boot', async () => {
    const { exitCode, out } = await noncectl(['mode']);
    expect([exitCode, out]).toEqual([0, expect.stringMatching(/^mode +RELIABLE$/m)]);
  });

  it('says which check would refuse, and how it is mended', async () => {
    const { exitCode, out } = await switchTo('DRAIN', '--dry-run');
    expect([exitCode, out]).toEqual([3, expect.stringMatching(/^failed +edge .*\n +fix: \w/)]);
    const refused = await switchTo('DRAIN');
    expect(refused.exitCode).toBe(3);
    expect(refused.err).toMatch(/NONCE_MODE_PREFLIGHT_FAILED.*failed +edge/s);
    expect(
      (await answerOf<DryRun>('mode', 'switch', 'DUAL_WRITE', '--dry-run', '--reason', 'x'))
        .possible,
    ).toBe(true);
  });

  it('switches there and back, phase by phase, and tells it in the history', async () => {
    const there = await switchTo('PERFORMANCE', '--wait');
    expect([there.exitCode, there.err]).toEqual([0, '']);
    expect(there.out).toMatch(
      /^switch \d+: RELIABLE → PERFORMANCE, epoch 2\n +preflight +.*\n +record +.*\n +mirror +[^]*\ndone in /,
    );
    expect((await answerOf<Mode>('mode')).mode).toBe('PERFORMANCE');
    const back = JSON.parse((await switchTo('RELIABLE', '--wait', '--json')).out) as ModeSwitch;
    expect(back).toMatchObject({ state: 'done', from: 'PERFORMANCE', by: 'operator', epoch: 3 });
    const history = await noncectl(['mode', 'history', '--limit', '1']);
    expect(history.out).toMatch(/PERFORMANCE → RELIABLE +done .* operator +to RELIABLE\nolder: /);
  });

  it('ends with 5 when somebody switched since', async () => {
    const { exitCode, err } = await switchTo('DUAL_WRITE', '--if-epoch', '1');
    expect([exitCode, err]).toEqual([5, expect.stringMatching(/^NONCE_PRECONDITION: .*RELIABLE/)]);
  });

  it('ends with 1 for a key that may only read, and with 4 when nothing runs', async () => {
    const forbidden = await noncectl(['mode', 'abort', '--reason', 'x'], 'reader');
    expect([forbidden.exitCode, forbidden.err]).toEqual([
      1,
      expect.stringMatching(/^NONCE_FORBIDDEN: .*\n +fix: /),
    ]);
    expect((await noncectl(['mode', 'abort', '--reason', 'x'])).exitCode).toBe(4);
  });

  it('shows and sets the prefetch sizes', async () => {
    const set = await noncectl(['prefetch', 'set', '--size', '64', '--reason', 'peak']);
    expect([set.exitCode, set.out]).toEqual([0, expect.stringMatching(/^size +64 nonces$/m)]);
    const wrong = await noncectl(['prefetch', 'set', '--low-water', '64']);
    expect([wrong.exitCode, wrong.err]).toEqual([2, expect.stringContaining('lowWater must be')]);
  });

  it('calls a healthy installation healthy', async () => {
    const { exitCode, out } = await noncectl(['status']);
    expect([exitCode, out]).toEqual([0, expect.stringMatching(/^postgres +up/m)]);
  });

  it('lets a script of a shell branch on how it ended, by the name that npm links', async () => {
    const lines: readonly (readonly [exitCode: number, line: string])[] = [
      [0, 'mode'],
      [2, 'mode switch'],
      [3, 'mode switch DRAIN --reason x --dry-run'],
      [4, 'mode abort --reason x'],
      [5, 'mode switch DUAL_WRITE --reason x --if-epoch 1'],
      [6, 'mode --url http://127.0.0.1:1'],
    ];
    const script = lines.map(([, line]) => `noncectl ${line} >/dev/null 2>&1; echo $?`).join('\n');
    const { exitCode, out, err } = await inShell(script);
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
    expect(out.trim().split('\n').map(Number)).toEqual(lines.map(([code]) => code));
  });
});
