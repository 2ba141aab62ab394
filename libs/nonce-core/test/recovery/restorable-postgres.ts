import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PostgresServer } from '../../../../tools/src/stack/index';
import { migrate } from '../../src/postgres/migrate';

const run = promisify(execFile);

/** A Postgres whose data directory can be saved and put back, as from a snapshot of its disk. */
export class RestorablePostgres {
  readonly schema = 'noncekit';

  private constructor(
    readonly server: PostgresServer,
    private readonly folder: string,
  ) {}

  static async start(): Promise<RestorablePostgres> {
    const folder = await mkdtemp(join(tmpdir(), 'restorable-'));
    await chmod(folder, 0o755);
    const server = await PostgresServer.start({ dataDir: join(folder, 'data') });
    const postgres = new RestorablePostgres(server, folder);
    await migrate({ url: server.url(), schema: postgres.schema });
    return postgres;
  }

  get url(): string {
    return this.server.url();
  }

  /** Saves the present state; the server is another run afterwards. */
  async save(): Promise<void> {
    await this.server.stop();
    await rm(this.saved, { recursive: true, force: true });
    await run('cp', ['-a', this.cluster, this.saved]);
    await this.server.restart();
  }

  /** Puts the saved state back: everything committed since is gone. */
  async restore(): Promise<void> {
    await this.server.stop();
    await rm(this.cluster, { recursive: true });
    await run('cp', ['-a', this.saved, this.cluster]);
    await this.server.restart();
  }

  async close(): Promise<void> {
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  private get cluster(): string {
    return join(this.folder, 'data/cluster');
  }

  private get saved(): string {
    return join(this.folder, 'saved');
  }
}
