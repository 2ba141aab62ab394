import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '@noncekit/test-support/wait-for';
import { childrenOf, isAlive } from '../src/stack/index';

const ROOT = join(__dirname, '../..');
/** The demo takes about 25 seconds on two cores; its servers share them with other tests here. */
const DEMO_TIMEOUT_MS = 150_000;

interface Run {
  readonly child: ChildProcess & { readonly pid: number };
  output(): string;
}

/** The command as built: `npm test` builds before it tests. */
function start(parameters: readonly string[]): Run {
  const child = spawn(process.execPath, ['tools/dist/start/main.js', ...parameters], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: cleanEnvironment(),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
  }
  if (child.pid === undefined) throw new Error('node could not be started');
  return { child: child as Run['child'], output: () => output };
}

/** Without what other tests configured: a newcomer's machine has none of it. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const names = Object.keys(process.env).filter((name) => !/^(NONCE_|DATABASE_|REDIS_)/.test(name));
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

async function descendants(pid: number): Promise<number[]> {
  const children = await childrenOf(pid);
  const deeper = await Promise.all(children.map(descendants));
  return [...children, ...deeper.flat()];
}

describe('npm start', () => {
  it(
    'with --once, ends with 0 after a demo that the chain proves right, and leaves nothing running',
    async () => {
      const run = start(['--once']);
      const family = new Set<number>();
      const watch = setInterval(() => {
        void descendants(run.child.pid).then((pids) => {
          for (const pid of pids) family.add(pid);
        });
      }, 500);
      const [exitCode] = (await once(run.child, 'close')) as [number | null];
      clearInterval(watch);
      expect(run.output()).toContain('Every nonce from 0 up was mined once');
      expect(exitCode).toBe(0);
      expect(family.size).toBeGreaterThan(4);
      expect([...family].filter(isAlive)).toEqual([]);
    },
    DEMO_TIMEOUT_MS,
  );

  it(
    'with --no-demo, serves an API whose printed key works, until it is interrupted',
    async () => {
      const run = start(['--no-demo']);
      await waitFor(() => run.output().includes('Ctrl-C stops everything'), {
        describe: 'the welcome text',
        timeoutMs: 60_000,
      });
      const command = /curl -s -H "Authorization: Bearer (\S+)" (http:\S+\/v1\/submitters)$/m.exec(
        run.output(),
      );
      const answer = await fetch(command?.[2] ?? '', {
        headers: { authorization: `Bearer ${command?.[1] ?? ''}`, connection: 'close' },
      });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toMatchObject({ items: [] });
      const witnesses = /^witnesses +(\S+)$/m.exec(run.output())?.[1] ?? '';
      // One of the api and one of the worker.
      await waitFor(() => readdirSync(witnesses).length === 2, { describe: 'both witnesses' });
      const family = await descendants(run.child.pid);
      run.child.kill('SIGINT');
      const [exitCode] = (await once(run.child, 'close')) as [number | null];
      expect(exitCode).toBe(0);
      expect(family.filter(isAlive)).toEqual([]);
    },
    DEMO_TIMEOUT_MS,
  );
});
