import { Cluster, Redis } from 'ioredis';
import { RedisCluster, RedisServer } from '../../../../tools/src/stack/index';
import { checkFastBoot } from '../../src/redis/fast-boot-checks';
import { checkRedis, refuseEviction } from '../../src/redis/redis-boot-checks';
import { SYSTEM_CLOCK } from '../contract/postgres-subject';

describe('the checks of a Redis that is to hold nonces', () => {
  let server: RedisServer;
  let client: Redis;
  const logged: string[] = [];
  const log = (message: string): void => void logged.push(message);
  const logger = { debug: log, info: log, warn: log, error: log };

  beforeAll(async () => {
    server = await RedisServer.start();
    client = new Redis(server.url);
    client.on('error', () => undefined);
  });
  afterEach(async () => {
    logged.length = 0;
    await client.config('SET', 'maxmemory-policy', 'noeviction');
    await client.config('SET', 'appendonly', 'yes');
    await client.config('SET', 'appendfsync', 'everysec');
    await client.config('SET', 'repl-backlog-ttl', '0');
  });
  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });

  it('find nothing to say about one that keeps what it is told', async () => {
    expect(await checkFastBoot(client)).toEqual({ problems: [], warnings: [] });
    await checkRedis(client, { clock: SYSTEM_CLOCK, logger });
    expect(logged).toEqual([]);
  });

  it('refuse one that may evict keys, and say what to set', async () => {
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const { problems } = await checkFastBoot(client);
    expect(problems).toMatchObject([
      { code: 'NONCE_REDIS_EVICTION', context: { policy: 'allkeys-lru' } },
    ]);
    expect(problems[0]?.message).toContain('Set `maxmemory-policy noeviction`');
    const refused = { code: 'NONCE_REDIS_EVICTION' };
    await expect(checkRedis(client, { clock: SYSTEM_CLOCK, logger })).rejects.toMatchObject(
      refused,
    );
    await expect(refuseEviction(client)).rejects.toMatchObject(refused);
  });

  it.each([
    ['appendonly', 'no', 'set `appendonly yes`'],
    ['appendfsync', 'no', 'set `appendfsync everysec`'],
    ['repl-backlog-ttl', '3600', 'set `repl-backlog-ttl 0`'],
  ])('warn of %s %s, with the line that mends it', async (name, value, fix) => {
    await client.config('SET', name, value);
    const { problems, warnings } = await checkFastBoot(client);
    expect(problems).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining(fix)]);
    await checkRedis(client, { clock: SYSTEM_CLOCK, logger });
    expect(logged).toEqual([expect.stringContaining(fix)]);
  });

  it('go by INFO where CONFIG is forbidden, and say what nobody tells', async () => {
    await client.call('ACL', 'SETUSER', 'tenant', 'on', '>pw', '~*', '+@all', '-config');
    const tenant = new Redis(server.url, { username: 'tenant', password: 'pw' });
    expect(await checkFastBoot(tenant)).toEqual({
      problems: [],
      warnings: [expect.stringContaining('appendfsync cannot be read')],
    });
    await client.config('SET', 'maxmemory-policy', 'volatile-ttl');
    expect((await checkFastBoot(tenant)).problems).toHaveLength(1);
    tenant.disconnect();
  });

  it('look at every primary of a Cluster', async () => {
    const members = await RedisCluster.start({ primaries: 3 });
    const cluster = new Cluster([...members.startupNodes], { lazyConnect: true });
    cluster.on('error', () => undefined);
    await cluster.connect();
    expect(await checkFastBoot(cluster)).toEqual({ problems: [], warnings: [] });
    const third = new Redis(members.nodes[2]!.url);
    await third.config('SET', 'maxmemory-policy', 'allkeys-random');
    await third.config('SET', 'appendonly', 'no');
    const { problems, warnings } = await checkFastBoot(cluster);
    expect(problems).toMatchObject([{ code: 'NONCE_REDIS_EVICTION' }]);
    expect(warnings).toHaveLength(1);
    await expect(refuseEviction(cluster)).rejects.toMatchObject({ code: 'NONCE_REDIS_EVICTION' });
    third.disconnect();
    cluster.disconnect();
    await members.stop();
  });
});
