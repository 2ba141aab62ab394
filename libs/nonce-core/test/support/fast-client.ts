import { Redis } from 'ioredis';
import type { FastStore } from '../../src/ports/fast-store.port';
import { duplicateForFastStore } from '../../src/redis/fast-connection';
import { FastKeys } from '../../src/redis/fast-keys';
import { RedisFastStore } from '../../src/redis/redis-fast-store';

export interface FastClient {
  readonly store: FastStore;
  close(): void;
}

/** A connection to the fast store as a node has one, ready for its first script. */
export async function openFastClient({
  url,
  prefix,
}: {
  readonly url: string;
  readonly prefix: string;
}): Promise<FastClient> {
  const host = new Redis(url, { lazyConnect: true, disconnectTimeout: 50 });
  const client = duplicateForFastStore(host);
  await new Promise<void>((resolve) => client.once('ready', resolve));
  return {
    store: new RedisFastStore(client, new FastKeys({ prefix })),
    close: () => {
      client.disconnect();
      host.disconnect();
    },
  };
}
