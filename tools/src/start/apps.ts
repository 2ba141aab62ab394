import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { preferPort } from '../stack/free-port';
import { ServerProcess } from '../stack/server-process';
import type { Stack } from '../stack/stack';
import { WORKSPACE_ROOT } from '../workspace/workspace-root';

const READY_TIMEOUT_MS = 30_000;
const STOP_DEADLINE_MS = 15_000;

/** Folders of the processes: their logs and the demo's key, and what they witness. */
export interface AppFolders {
  readonly directory: string;
  readonly witnessDir: string;
}

export interface RunningApps {
  readonly apiUrl: string;
  readonly apiAdminUrl: string;
  readonly workerAdminUrl: string;
  /** A key with every scope, made for this run. */
  readonly apiKey: string;
  stop(): Promise<void>;
}

/** Starts api and worker as processes of their own, configured by environment alone. */
export async function startApps(
  stack: Stack,
  { directory, witnessDir }: AppFolders,
): Promise<RunningApps> {
  mkdirSync(directory, { recursive: true });
  const key = writeApiKey(directory);
  const ports = {
    api: await preferPort(3_000),
    apiAdmin: await preferPort(9_464),
    workerAdmin: await preferPort(9_465),
  };
  const started: ServerProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((server) => server.stop(STOP_DEADLINE_MS)));
  };
  const launch = async (app: Omit<App, keyof AppFolders | 'stack'>): Promise<void> => {
    await launchApp({ ...app, directory, witnessDir, stack }, started);
  };
  try {
    await Promise.all([
      launch({
        name: 'api',
        adminPort: ports.apiAdmin,
        settings: { PORT: String(ports.api), NONCE_API_KEYS_FILE: key.file },
      }),
      launch({
        name: 'flush-worker',
        adminPort: ports.workerAdmin,
        settings: { NONCE_RECONCILE_INTERVAL_MS: '1000' },
      }),
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    apiUrl: `http://127.0.0.1:${String(ports.api)}`,
    apiAdminUrl: `http://127.0.0.1:${String(ports.apiAdmin)}`,
    workerAdminUrl: `http://127.0.0.1:${String(ports.workerAdmin)}`,
    apiKey: key.key,
    stop,
  };
}

interface App extends AppFolders {
  readonly name: 'api' | 'flush-worker';
  readonly adminPort: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly stack: Stack;
}

async function launchApp(app: App, started: ServerProcess[]): Promise<void> {
  const server = await ServerProcess.spawn({
    name: app.name,
    program: process.execPath,
    parameters: [join(WORKSPACE_ROOT, `apps/${app.name}/dist/main.js`)],
    logPath: join(app.directory, `${app.name}.log`),
    directory: WORKSPACE_ROOT,
    stopSignal: 'SIGTERM',
    environment: {
      ...process.env,
      ...app.stack.environment(),
      ...chainPace(app.stack),
      HOST: '127.0.0.1',
      NONCE_WITNESS_DIR: app.witnessDir,
      NONCE_ADMIN_PORT: String(app.adminPort),
      ...app.settings,
    },
  });
  started.push(server);
  const readyUrl = `http://127.0.0.1:${String(app.adminPort)}/readyz`;
  await server.untilReady(() => isReady(readyUrl), READY_TIMEOUT_MS);
}

/** A key with every scope, for this run only. */
function writeApiKey(directory: string): { readonly key: string; readonly file: string } {
  const key = `nk_${randomBytes(24).toString('base64url')}`;
  const file = join(directory, 'api-keys');
  const scopes = 'nonce:read,nonce:allocate,ops:read,ops:write';
  writeFileSync(file, `demo:${scopes}:${key}\n`, { mode: 0o600 });
  return { key, file };
}

/** A development chain decides within seconds; the defaults suit a chain with 12-second blocks. */
function chainPace(stack: Stack): Record<string, string> {
  if (stack.chain === undefined) return {};
  const prefix = `NONCE_CHAIN_${String(stack.chain.chainId)}`;
  return {
    [`${prefix}_CONFIRMATIONS`]: '1',
    [`${prefix}_POLL_INTERVAL_MS`]: '500',
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}
