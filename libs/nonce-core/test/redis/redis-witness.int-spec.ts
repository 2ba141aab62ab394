import type { Epoch } from '../../src/domain/epoch';
import type { Submitter } from '../../src/domain/submitter';
import type { ServerStart, Witness } from '../../src/domain/witness';
import { RedisWitness } from '../../src/redis/redis-witness';
import { newSubmitter } from '../support/store-fixture';
import { openTestRedis, redisPrefix, type TestRedis } from '../support/test-redis';

const SERVER: ServerStart = {
  systemId: '7412345678901234567',
  startedAt: '1763683200000001',
  timeline: '1',
  lsn: '18446744073709551000',
};
const SHARDS = 4;

let redis: TestRedis;
let place: RedisWitness;
let prefix: string;
beforeAll(async () => {
  redis = await openTestRedis();
});
afterAll(() => redis.close());
beforeEach(() => {
  prefix = `${redis.prefix}:${redisPrefix()}`;
  place = new RedisWitness(redis.client, { keyPrefix: prefix, shards: SHARDS, shardOf });
});

function shardOf(submitter: Submitter): number {
  return Number(BigInt(submitter.slice(-8).replace(/^/, '0x')) % BigInt(SHARDS));
}

const witness = (epoch: number, ceiling: number, submitter = newSubmitter()): Witness => ({
  submitter,
  epoch: epoch as Epoch,
  ceiling,
});

describe('the witness in Redis', () => {
  it('tells what was kept in every shard', async () => {
    const kept = Array.from({ length: 40 }, (_, i) => witness(1, i));
    await place.keep(SERVER, kept);
    const read = await place.read();
    const bySubmitter = (a: Witness, b: Witness) => a.submitter.localeCompare(b.submitter);
    expect([...(read?.witnesses ?? [])].sort(bySubmitter)).toEqual([...kept].sort(bySubmitter));
    expect(read?.server).toEqual(SERVER);
  });

  it('only rises, whatever the order in which facts come', async () => {
    const submitter = newSubmitter();
    await place.keep(SERVER, [witness(5, 9_007_199_254_740_991, submitter)]);
    await place.keep({ ...SERVER, lsn: '9' }, [witness(4, 7, submitter)]);
    await place.keep({ ...SERVER, startedAt: '999', lsn: '99' }, [witness(6, 8, submitter)]);
    expect(await place.read()).toEqual({
      server: SERVER,
      witnesses: [witness(6, 9_007_199_254_740_991, submitter)],
    });
    const later = { ...SERVER, startedAt: '1763683200000002', lsn: '1' };
    await place.keep(later, []);
    expect((await place.read())?.server).toEqual(later);
  });

  it('notices at the next word that it was emptied', async () => {
    expect(await place.keep(SERVER, [])).toBe('forgetful');
    expect(await place.keep(SERVER, [witness(1, 1)])).toBe('kept');
    const keys = await redis.client.keys(`${prefix}:*`);
    expect(keys).toHaveLength(SHARDS);
    await redis.client.del(keys);
    expect(await place.read()).toEqual({ server: null, witnesses: [] });
    expect(await place.keep(SERVER, [])).toBe('forgetful');
  });

  it('fails a word that Redis did not take, and is unreadable rather than empty then', async () => {
    const away = redis.client.duplicate({
      lazyConnect: true,
      enableOfflineQueue: false,
      retryStrategy: null,
    });
    const unreachable = new RedisWitness(away, { keyPrefix: prefix, shards: SHARDS, shardOf });
    await expect(unreachable.keep(SERVER, [witness(1, 1)])).rejects.toThrow();
    expect(await unreachable.read()).toBeNull();
    away.disconnect();
  });
});
