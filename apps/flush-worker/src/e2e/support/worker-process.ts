import { resolve } from 'node:path';
import type { TestChain } from '@noncekit/test-support/test-chain';
import type { TestDatabase } from '@noncekit/test-support/test-database';
import { NodeProcess } from '@noncekit/test-support/node-process';

const MAIN = resolve(__dirname, '../../main.ts');

interface LogLine {
  readonly msg?: string;
}

/** A real worker process on a database and a chain of the test's own. */
export class WorkerProcess {
  private constructor(
    readonly process: NodeProcess<LogLine>,
    readonly adminUrl: string,
  ) {}

  static async start(
    database: TestDatabase,
    chain: TestChain | null,
    overrides: Readonly<Record<string, string>> = {},
  ): Promise<WorkerProcess> {
    const process = NodeProcess.start<LogLine>(MAIN, {
      environment: { ...environmentOf(database, chain), ...overrides },
    });
    const ready = await process.message(
      (line) => /admin on/.test(line.msg ?? ''),
      'the admin port',
    );
    return new WorkerProcess(process, /http:\S+/.exec(ready.msg ?? '')?.[0] ?? '');
  }

  async get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`${this.adminUrl}${path}`, { headers: { connection: 'close' } });
    return { status: response.status, text: await response.text() };
  }

  /** Sum of a metric's samples whose line contains the text. */
  async metric(name: string, containing = ''): Promise<number> {
    const lines = (await this.get('/metrics')).text.split('\n');
    const samples = lines.filter((line) => line.startsWith(name) && line.includes(containing));
    return samples.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }
}

export function environmentOf(
  database: TestDatabase,
  chain: TestChain | null,
): Readonly<Record<string, string>> {
  const id = String(chain?.chainId ?? '');
  const chainSettings =
    chain === null
      ? {}
      : {
          NONCE_CHAINS: id,
          [`NONCE_CHAIN_${id}_RPC_URLS`]: chain.rpcUrl,
          [`NONCE_CHAIN_${id}_CONFIRMATIONS`]: '2',
          [`NONCE_CHAIN_${id}_REORG_DEPTH`]: '4',
          [`NONCE_CHAIN_${id}_POLL_INTERVAL_MS`]: '100',
        };
  return {
    NONCE_DATABASE_URL: database.url,
    NONCE_DATABASE_SCHEMA: database.schema,
    NONCE_DATABASE_ALLOW_UNSAFE: 'true',
    NONCE_RECLAIM_INTERVAL_MS: '100',
    NONCE_RECONCILE_INTERVAL_MS: '400',
    NONCE_QUARANTINE_MS: '400',
    NONCE_ADMIN_PORT: '0',
    HOST: '127.0.0.1',
    LOG_LEVEL: 'info',
    ...chainSettings,
  };
}
