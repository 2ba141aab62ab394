import { writeFile } from 'node:fs/promises';
import { Redis } from 'ioredis';
import { untilFree } from './free-port';
import { findRedisBinary } from './redis-binary';
import { ServerDirectory } from './server-directory';
import { ServerProcess } from './server-process';
import { withFreePort } from './with-free-port';

export interface RedisOptions {
  /** Kept when given; otherwise temporary. */
  readonly dataDir?: string;
  /** Further lines of redis.conf, for example "replicaof 127.0.0.1 20001" or "cluster-enabled yes". */
  readonly config?: readonly string[];
  /** Runs it as a Sentinel; `config` then holds its "sentinel monitor …" lines. */
  readonly sentinel?: boolean;
  readonly log?: (line: string) => void;
}

interface Instance {
  readonly program: string;
  readonly directory: ServerDirectory;
  readonly options: RedisOptions;
}

const READY_TIMEOUT_MS = 30_000;
const STOP_DEADLINE_MS = 5_000;
const PING_TIMEOUT_MS = 1_000;
const DISCONNECT_TIMEOUT_MS = 50;

/** Written before the caller's lines, which therefore win. */
const DEFAULT_CONFIG = [
  // Authority keys must never be evicted, and a missing replica must not change the replication id.
  'maxmemory-policy noeviction',
  'repl-backlog-ttl 0',
  // A replica of ours need not wait for others that might come and share its first copy.
  'repl-diskless-sync-delay 0',
  'save ""',
  'appendonly yes',
  'appendfsync everysec',
];

/**
 * One Redis (or Valkey) of our own on a loopback port. Port and files stay the same over `kill` and
 * `restart`; what an append-only file holds is there again afterwards.
 */
export class RedisServer {
  private constructor(
    private readonly instance: Instance,
    readonly port: number,
    private server: ServerProcess,
  ) {}

  /** @throws StackError that says how to install Redis when it cannot be had. */
  static async start(options: RedisOptions = {}): Promise<RedisServer> {
    const program = await findRedisBinary(options.log ?? (() => undefined));
    const directory = ServerDirectory.open(options.dataDir);
    const instance = { program, directory, options };
    return withFreePort(async (port) => {
      // Written once per port and not on restart: a Sentinel keeps what it learnt in this file.
      await writeFile(directory.file('redis.conf'), configOf(instance, port));
      return new RedisServer(instance, port, await run(instance, port));
    });
  }

  get pid(): number {
    return this.server.pid;
  }

  get running(): boolean {
    return this.server.alive;
  }

  get url(): string {
    return `redis://127.0.0.1:${String(this.port)}`;
  }

  /** The folder with its append-only files, for tests that cut off their tail. */
  get dataDir(): string {
    return this.instance.directory.path;
  }

  /** Ends it, which writes out what it was told to keep; removes a temporary directory. */
  async stop(deadlineMs = STOP_DEADLINE_MS): Promise<void> {
    await this.server.stop(deadlineMs);
    await this.instance.directory.release();
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.server.kill();
  }

  /** Starts again on the same port and files, after a `kill` or by a clean stop first. */
  async restart(): Promise<void> {
    if (this.running) await this.server.stop(STOP_DEADLINE_MS);
    await untilFree(this.port);
    this.server = await run(this.instance, this.port);
  }

  /** SIGSTOP: connections stay open and nothing answers. */
  pause(): void {
    this.server.signal('SIGSTOP');
  }

  resume(): void {
    this.server.signal('SIGCONT');
  }
}

function configOf({ directory, options }: Instance, port: number): string {
  const own = ['bind 127.0.0.1', `port ${String(port)}`, `dir ${JSON.stringify(directory.path)}`];
  const defaults = options.sentinel === true ? [] : DEFAULT_CONFIG;
  return [...own, 'daemonize no', ...defaults, ...(options.config ?? []), ''].join('\n');
}

async function run(instance: Instance, port: number): Promise<ServerProcess> {
  const { program, directory, options } = instance;
  const server = await ServerProcess.spawn({
    name: 'Redis',
    program,
    parameters: [
      directory.file('redis.conf'),
      ...(options.sentinel === true ? ['--sentinel'] : []),
    ],
    logPath: directory.file('redis.log'),
    directory: directory.path,
    stopSignal: 'SIGTERM',
  });
  try {
    await server.untilReady(() => answers(port, server.pid), READY_TIMEOUT_MS);
  } catch (error) {
    await server.kill();
    throw error;
  }
  return server;
}

/** Asks for the pid too, since a stranger may have taken the port before our server could. */
async function answers(port: number, pid: number): Promise<boolean> {
  const client = new Redis({
    host: '127.0.0.1',
    port,
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    connectTimeout: PING_TIMEOUT_MS,
    commandTimeout: PING_TIMEOUT_MS,
    // Otherwise a failed attempt leaves a timer of two seconds behind.
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    retryStrategy: () => null,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const [, server] = await Promise.all([client.ping(), client.info('server')]);
    return server.includes(`process_id:${String(pid)}`);
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}
