import { untilFree } from './free-port';
import { findAnvilBinary } from './anvil-binary';
import { ServerDirectory } from './server-directory';
import { ServerProcess } from './server-process';
import { StackError } from './stack-error';
import { withFreePort } from './with-free-port';

export interface AnvilOptions {
  readonly chainId?: number;
  /** Seconds between blocks; without it every transaction is mined at once. */
  readonly blockTimeSeconds?: number;
  /** Mines only when told to (evm_mine). */
  readonly noMining?: boolean;
  readonly accounts?: number;
  /** Balance of each account in ether. */
  readonly balanceEther?: number;
  readonly mnemonic?: string;
  /** A file from which the chain is loaded and to which it is written when it ends. */
  readonly statePath?: string;
  readonly parameters?: readonly string[];
}

export const DEFAULT_CHAIN_ID = 31_337;
/** The phrase that development chains share; its keys are public and worth nothing. */
export const DEVELOPMENT_MNEMONIC = 'test test test test test test test test test test test junk';

const READY_TIMEOUT_MS = 30_000;
const STOP_DEADLINE_MS = 5_000;

interface Instance {
  readonly program: string;
  readonly directory: ServerDirectory;
  readonly options: AnvilOptions;
}

/** One development chain of our own. It forgets everything on `kill` unless `statePath` was given. */
export class AnvilServer {
  private constructor(
    private readonly instance: Instance,
    readonly port: number,
    private server: ServerProcess,
  ) {}

  /** @throws StackError that says how anvil can be had. */
  static async start(options: AnvilOptions = {}): Promise<AnvilServer> {
    const program = findAnvilBinary();
    const instance = { program, directory: ServerDirectory.open(undefined), options };
    return withFreePort(async (port) => new AnvilServer(instance, port, await run(instance, port)));
  }

  get pid(): number {
    return this.server.pid;
  }

  get running(): boolean {
    return this.server.alive;
  }

  get chainId(): number {
    return this.instance.options.chainId ?? DEFAULT_CHAIN_ID;
  }

  get mnemonic(): string {
    return this.instance.options.mnemonic ?? DEVELOPMENT_MNEMONIC;
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.port)}`;
  }

  get webSocketUrl(): string {
    return `ws://127.0.0.1:${String(this.port)}`;
  }

  /**
   * One JSON-RPC call past all clients, for the methods only anvil has (evm_mine, anvil_reorg …).
   * @throws Error with the node's message.
   */
  async rpc(method: string, parameters: readonly unknown[] = []): Promise<unknown> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: parameters });
    const headers = { 'content-type': 'application/json', connection: 'close' };
    const response = await fetch(this.url, { method: 'POST', headers, body });
    const reply = (await response.json()) as { result?: unknown; error?: { message: string } };
    if (reply.error !== undefined) throw new Error(`${method}: ${reply.error.message}`);
    return reply.result;
  }

  async stop(deadlineMs = STOP_DEADLINE_MS): Promise<void> {
    await this.server.stop(deadlineMs);
    await this.instance.directory.release();
  }

  async kill(): Promise<void> {
    await this.server.kill();
  }

  /** Starts again on the same port: a fresh chain, or the one of `statePath`. */
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

async function run(instance: Instance, port: number): Promise<ServerProcess> {
  const server = await ServerProcess.spawn({
    name: 'anvil',
    program: instance.program,
    parameters: parametersOf(instance.options, port),
    logPath: instance.directory.file(`anvil-${String(port)}.log`),
    directory: instance.directory.path,
    stopSignal: 'SIGTERM',
  });
  try {
    // The line can only come from our own child, so a stranger on the same port is not mistaken for it.
    const line = `Listening on 127.0.0.1:${String(port)}`;
    await server.untilReady(() => server.logTail(200).includes(line), READY_TIMEOUT_MS);
  } catch (error) {
    await server.kill();
    throw error;
  }
  return server;
}

function parametersOf(options: AnvilOptions, port: number): readonly string[] {
  if (options.noMining === true && options.blockTimeSeconds !== undefined) {
    throw new StackError('anvil was asked for no mining and for a block time', {
      fix: 'give one of noMining and blockTimeSeconds',
    });
  }
  const valued: readonly (readonly [string, string | number | undefined])[] = [
    ['--host', '127.0.0.1'],
    ['--port', port],
    ['--chain-id', options.chainId ?? DEFAULT_CHAIN_ID],
    ['--mnemonic', options.mnemonic ?? DEVELOPMENT_MNEMONIC],
    ['--block-time', options.blockTimeSeconds],
    ['--accounts', options.accounts],
    ['--balance', options.balanceEther],
    ['--state', options.statePath],
  ];
  return [
    ...valued.flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)])),
    ...(options.noMining === true ? ['--no-mining'] : []),
    ...(options.parameters ?? []),
  ];
}
