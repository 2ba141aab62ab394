import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ACCESS_STORE, AdminServer, type AccessStore } from '@noncekit/nonce-core';
import { readApiKeyFile, storeApiKeys } from './config/api-key-file';
import type { ApiEnvironment } from './config/env.schema';
import { createApp } from './create-app';
import { EventStreams } from './events/event-streams';
import { InFlightRequests } from './http/in-flight-requests';

/** Where a started server answers. */
export interface ApiAddresses {
  readonly publicUrl: string;
  readonly adminUrl: string;
}

/**
 * Both ports of the API, started and stopped together. Stopping first refuses new work, then waits
 * for what runs, then closes; what has not ended by the deadline is cut off, which is safe: every
 * answer that matters is a committed row and can be asked for again.
 */
export class ApiServer {
  private constructor(
    readonly app: NestFastifyApplication,
    private readonly admin: AdminServer,
    readonly addresses: ApiAddresses,
  ) {}

  static async start(environment: ApiEnvironment): Promise<ApiServer> {
    const app = await createApp(environment);
    const admin = app.get(AdminServer);
    const { host, port, adminPort } = environment;
    try {
      await loadApiKeys(environment, app.get<AccessStore>(ACCESS_STORE));
      const adminUrl = await admin.start({ host, port: adminPort });
      await app.listen(port, host);
      return new ApiServer(app, admin, { publicUrl: await app.getUrl(), adminUrl });
    } catch (error) {
      await admin.stop();
      await app.close();
      throw error;
    }
  }

  /** True when everything that was taken has been answered. */
  async stop(deadlineMs: number): Promise<boolean> {
    this.app.get(EventStreams).end();
    const finished = await this.app.get(InFlightRequests).drain(deadlineMs);
    await this.app.close();
    await this.admin.stop();
    return finished;
  }
}

async function loadApiKeys(environment: ApiEnvironment, store: AccessStore): Promise<void> {
  if (environment.apiKeysFile === undefined) return;
  await storeApiKeys(readApiKeyFile(environment.apiKeysFile).keys, store);
}
