import { resolve } from 'node:path';
import { API_SCOPES } from '@noncekit/nonce-core';
import { NodeProcess } from '@noncekit/test-support/node-process';
import { openTestDatabase, type TestDatabase } from '@noncekit/test-support/test-database';
import { RedisServer } from '../../../../../tools/src/stack/index';
import { environmentFor, keyMaker, request, type Answer, type Call } from './api-fixture';

const API = resolve(__dirname, '../../main.ts');
const WORKER = resolve(__dirname, '../../../../flush-worker/src/main.ts');

export interface LogLine {
  readonly msg?: string;
}

/** An api and a worker as processes of their own, on a database and a Redis of the test's own. */
export class PerformanceFixture {
  private readonly processes: NodeProcess<LogLine>[] = [];
  url = '';
  adminUrl = '';
  workerAdminUrl = '';

  private constructor(
    readonly database: TestDatabase,
    readonly redis: RedisServer,
    private readonly key: string,
    private readonly settings: Readonly<Record<string, string>>,
  ) {}

  static async start(
    settings: Readonly<Record<string, string>> = {},
    redisConfig: readonly string[] = [],
  ): Promise<PerformanceFixture> {
    const [database, redis] = await Promise.all([
      openTestDatabase(),
      RedisServer.start({ config: redisConfig }),
    ]);
    const key = await keyMaker(database)('everything', API_SCOPES);
    return new PerformanceFixture(database, redis, key, settings);
  }

  /** Not waited for: some tests want to see it end. */
  launch(app: 'api' | 'worker', settings: Readonly<Record<string, string>> = {}) {
    const environment = {
      ...environmentFor(this.database),
      NONCE_REDIS_URL: this.redis.url,
      NONCE_INITIAL_MODE: 'PERFORMANCE',
      NONCE_RECLAIM_INTERVAL_MS: '100',
      NONCE_FLUSH_INTERVAL_MS: '50',
      LOG_LEVEL: 'info',
      ...this.settings,
      ...settings,
    };
    const started = NodeProcess.start<LogLine>(app === 'api' ? API : WORKER, { environment });
    this.processes.push(started);
    return started;
  }

  async startApi(settings?: Readonly<Record<string, string>>): Promise<NodeProcess<LogLine>> {
    const api = this.launch('api', settings);
    const line = await api.message((log) => log.msg?.startsWith('listening') === true, 'its ports');
    [this.url = '', this.adminUrl = ''] = line.msg?.match(/http:\S+?(?=,|$)/g) ?? [];
    return api;
  }

  async startWorker(settings?: Readonly<Record<string, string>>): Promise<NodeProcess<LogLine>> {
    const worker = this.launch('worker', settings);
    const line = await worker.message((log) => /admin on/.test(log.msg ?? ''), 'its port');
    this.workerAdminUrl = /http:\S+/.exec(line.msg ?? '')?.[0] ?? '';
    return worker;
  }

  call(path: string, call: Call = {}): Promise<Answer> {
    return request(this.url + path, call, this.key);
  }

  async health(adminUrl: string): Promise<Readonly<Record<string, unknown>>> {
    const response = await fetch(`${adminUrl}/health`, { headers: { connection: 'close' } });
    return (await response.json()) as Readonly<Record<string, unknown>>;
  }

  async close(): Promise<void> {
    await Promise.all(this.processes.map((one) => one.stop()));
    await this.redis.stop();
    await this.database.close();
  }
}
