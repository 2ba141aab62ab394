import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LastingMode } from '@noncekit/nonce-core/domain';
import { findFreePort } from '../stack/free-port';
import { pollUntil } from '../stack/poll-until';
import { WORKSPACE_ROOT } from '../workspace/workspace-root';

const API = join(WORKSPACE_ROOT, 'apps/api/dist/main.js');
const EMPTY_API = join(__dirname, '../bench-empty-api/main.js');
const READY_TIMEOUT_MS = 20_000;

/** A server process under load; `headers` are what its callers must send. */
export interface HttpNode {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export interface ApiNode extends HttpNode {
  readonly pid: number;
}

export interface ApiSettings {
  readonly databaseUrl: string;
  /** null = RELIABLE without any. */
  readonly redis: { readonly url: string; readonly mode: LastingMode } | null;
}

/** The API as it is deployed, configured by environment alone. */
export async function startApi({ databaseUrl, redis }: ApiSettings): Promise<ApiNode> {
  const directory = mkdtempSync(join(tmpdir(), 'noncekit-bench-'));
  const keysFile = join(directory, 'api-keys');
  const key = 'benchmark-key-of-this-run-only';
  writeFileSync(keysFile, `bench:nonce:read,nonce:allocate:${key}\n`, { mode: 0o600 });
  const [port, adminPort] = [await findFreePort(), await findFreePort()];
  const child = spawn(process.execPath, [API], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      NONCE_DATABASE_URL: databaseUrl,
      NONCE_MAX_IN_FLIGHT: '0',
      ...(redis === null ? {} : redisEnvironment(redis)),
      NONCE_API_KEYS_FILE: keysFile,
      HOST: '127.0.0.1',
      PORT: String(port),
      NONCE_ADMIN_PORT: String(adminPort),
      LOG_LEVEL: 'warn',
    },
  });
  const ready = `http://127.0.0.1:${String(adminPort)}/readyz`;
  await pollUntil(
    () => {
      if (child.exitCode !== null) throw new Error('the API ended while it was starting');
      return answers(ready);
    },
    { timeoutMs: READY_TIMEOUT_MS, describe: 'the API to get ready' },
  );
  return {
    pid: child.pid ?? 0,
    url: `http://127.0.0.1:${String(port)}`,
    headers: { authorization: `Bearer ${key}` },
    async stop() {
      await ended(child, () => child.kill('SIGTERM'));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function redisEnvironment(redis: NonNullable<ApiSettings['redis']>): Record<string, string> {
  return {
    NONCE_REDIS_URL: redis.url,
    NONCE_REDIS_KEY_PREFIX: `bench-${redis.mode.toLowerCase()}`,
    NONCE_INITIAL_MODE: redis.mode,
    // Nobody drains them meanwhile.
    NONCE_FLUSH_STREAM_MAX: '10000000',
  };
}

/** The same framework with the same validation and nothing behind it. */
export async function startEmptyApi(): Promise<HttpNode> {
  const child = fork(EMPTY_API, [], { execArgv: [] });
  const [message] = (await once(child, 'message')) as [{ url: string }];
  return {
    url: message.url,
    headers: {},
    stop: () =>
      ended(child, () => {
        child.disconnect();
      }),
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

async function ended(child: ChildProcess, ask: () => unknown): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  ask();
  await exited;
}
