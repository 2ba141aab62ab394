import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { untilFree } from './free-port';
import { pollUntil } from './poll-until';
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries';
import { postgresParameters, type PostgresSettings } from './postgres-settings';
import { childrenOf, isAlive, signalPid } from './process-tree';
import { runCommand } from './run-command';
import { ServerDirectory } from './server-directory';
import { ServerProcess } from './server-process';
import { StackError } from './stack-error';
import { unprivilegedAccount, type UnprivilegedAccount } from './unprivileged-account';
import { withFreePort } from './with-free-port';

export interface PostgresOptions {
  /** Kept when given, and reused when a cluster is already there; otherwise temporary. */
  readonly dataDir?: string;
  readonly settings?: PostgresSettings;
}

interface Cluster {
  readonly directory: ServerDirectory;
  readonly binaries: PostgresBinaries;
  readonly account: UnprivilegedAccount | undefined;
  readonly password: string;
  readonly settings: PostgresSettings;
}

const USER = 'postgres';
const INITDB_TIMEOUT_MS = 60_000;
/** Also covers crash recovery after a kill under load. */
const READY_TIMEOUT_MS = 60_000;
const STOP_DEADLINE_MS = 10_000;

/**
 * One Postgres of our own on a loopback port, with fsync on. Port, data and password stay the same
 * over `kill` and `restart`, so a pool that pointed at it finds it again.
 */
export class PostgresServer {
  private constructor(
    private readonly cluster: Cluster,
    readonly port: number,
    private server: ServerProcess,
  ) {}

  /** @throws StackError with what to do, when no Postgres can be run. */
  static async start(options: PostgresOptions = {}): Promise<PostgresServer> {
    const account = await unprivilegedAccount();
    const binaries = await findPostgresBinaries(account);
    const directory = ServerDirectory.open(options.dataDir, account);
    const password = await ensureCluster({ directory, binaries, account });
    const settings = options.settings ?? {};
    const cluster = { directory, binaries, account, password, settings };
    return withFreePort(
      async (port) => new PostgresServer(cluster, port, await run(cluster, port)),
    );
  }

  /** Pid of the postmaster. */
  get pid(): number {
    return this.server.pid;
  }

  get running(): boolean {
    return this.server.alive;
  }

  get origin(): string {
    return this.cluster.binaries.origin;
  }

  /** Connection URL of the superuser. */
  url(database = 'postgres'): string {
    return `postgres://${USER}:${this.cluster.password}@127.0.0.1:${String(this.port)}/${database}`;
  }

  /** Rolls back what is running, disconnects everybody and ends; removes a temporary directory. */
  async stop(deadlineMs = STOP_DEADLINE_MS): Promise<void> {
    await this.resume();
    const family = await this.family();
    await this.server.stop(deadlineMs);
    await endOrphans(family);
    await this.cluster.directory.release();
  }

  /** kill -9 of the postmaster and all its children at once, like a crash; the data stay. */
  async kill(): Promise<void> {
    const family = await this.family();
    // The postmaster first: it would otherwise answer the death of a child with a crash restart.
    for (const pid of family) signalPid(pid, 'SIGKILL');
    await this.server.exited;
    await endOrphans(family);
  }

  /** Starts again on the same port and data, after a `kill` or by a clean stop of the server first. */
  async restart(): Promise<void> {
    if (this.running) await this.server.stop(STOP_DEADLINE_MS);
    await untilFree(this.port);
    this.server = await run(this.cluster, this.port);
  }

  /** SIGSTOP of the postmaster and its children: connections stay open and nothing answers. */
  async pause(): Promise<void> {
    for (const pid of await this.family()) signalPid(pid, 'SIGSTOP');
  }

  async resume(): Promise<void> {
    for (const pid of await this.family()) signalPid(pid, 'SIGCONT');
  }

  /** The postmaster, then its children; empty when it does not run. */
  private async family(): Promise<readonly number[]> {
    return this.running ? [this.pid, ...(await childrenOf(this.pid))] : [];
  }
}

async function ensureCluster(
  place: Pick<Cluster, 'directory' | 'binaries' | 'account'>,
): Promise<string> {
  const { directory, binaries, account } = place;
  const passwordPath = directory.file('password');
  if (existsSync(directory.file('cluster/PG_VERSION')) && existsSync(passwordPath)) {
    return readFileSync(passwordPath, 'utf8').trim();
  }
  await rm(directory.file('cluster'), { recursive: true, force: true });
  const password = randomBytes(12).toString('hex');
  // The directory belongs to the unprivileged account already, so the file may be readable by it.
  await writeFile(passwordPath, `${password}\n`, { mode: account === undefined ? 0o600 : 0o644 });
  const parameters = [
    `--pgdata=${directory.file('cluster')}`,
    `--username=${USER}`,
    `--pwfile=${passwordPath}`,
    // Loopback only. SCRAM would cost every test connection its thousands of hash rounds.
    '--auth=password',
    '--encoding=UTF8',
    '--locale=C',
    // Only the pristine files of a new cluster are left to the system to write out; the server
    // itself runs with fsync on.
    '--no-sync',
  ];
  const result = await runCommand(binaries.initdb, parameters, {
    timeoutMs: INITDB_TIMEOUT_MS,
    environment: { LC_ALL: 'C' },
    ...account,
  });
  if (result.exitCode !== 0) {
    throw new StackError(`initdb (${binaries.origin}) failed: ${result.output.trim()}`, {
      fix: `make ${directory.path} writable and see that the disk has 100 MB left`,
    });
  }
  return password;
}

async function run(cluster: Cluster, port: number): Promise<ServerProcess> {
  const { directory, binaries, account } = cluster;
  const server = await ServerProcess.spawn({
    name: 'Postgres',
    program: binaries.postgres,
    parameters: ['-D', directory.file('cluster'), ...postgresParameters(port, cluster.settings)],
    logPath: directory.file('postgres.log'),
    directory: '/',
    // SIGINT is the fast shutdown; SIGTERM would wait until the last client has gone.
    stopSignal: 'SIGINT',
    ...account,
  });
  try {
    await server.untilReady(() => saysReady(directory, server.pid), READY_TIMEOUT_MS);
  } catch (error) {
    await server.kill();
    throw error;
  }
  return server;
}

/** What pg_ctl looks at: the status line of the pid file, which only the right server can write. */
function saysReady(directory: ServerDirectory, pid: number): boolean {
  const STATUS_LINE = 7;
  try {
    const lines = readFileSync(directory.file('cluster/postmaster.pid'), 'utf8').split('\n');
    const status = lines[STATUS_LINE]?.trim() ?? '';
    // A server that replays another's log says `standby` and answers reads.
    return Number(lines[0]) === pid && ['ready', 'standby'].includes(status);
  } catch {
    return false;
  }
}

/** Children notice the death of their postmaster by themselves, but not while they are stopped. */
async function endOrphans(family: readonly number[]): Promise<void> {
  const gone = (): boolean => !family.some(isAlive);
  const wait = { timeoutMs: STOP_DEADLINE_MS, describe: 'the children of Postgres to end' };
  await pollUntil(gone, wait).catch(async () => {
    for (const pid of family) signalPid(pid, 'SIGKILL');
    await pollUntil(gone, wait);
  });
}
