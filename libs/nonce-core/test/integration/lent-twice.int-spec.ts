import { v7 } from 'uuid';
import type { Submitter } from '../../src/domain/submitter';
import type { FastEpoch } from '../../src/ports/fast-epoch-store.port';
import type { FastGrant } from '../../src/ports/fast-store.port';
import { PostgresFlushStore } from '../../src/postgres/postgres-flush-store';
import { FastKeys } from '../../src/redis/fast-keys';
import { RedisEventQueue } from '../../src/redis/redis-event-queue';
import { openFastClient, type FastClient } from '../support/fast-client';
import { SYSTEM_CLOCK } from '../support/fast-engine';
import { epochOf, type FastEpochBench } from '../support/fast-epochs';
import { describeGuards } from '../support/function-guards';
import { FIRST_MODE_EPOCH, QUARANTINE } from '../support/store-fixture';
import { openTestRedis, type TestRedis } from '../support/test-redis';

let redis: TestRedis;
let fast: FastClient;
let keys: FastKeys;

// Each test has its own keys: its shard would else hold events of another test's database.
beforeEach(async () => {
  redis = await openTestRedis();
  fast = await openFastClient(redis);
  keys = new FastKeys({ prefix: redis.prefix });
});
afterEach(async () => {
  fast.close();
  await redis.close();
});

/** Two nodes that refill a relaxed store, and what becomes of the nonces in it. */
class Schedule {
  private constructor(
    private readonly bench: FastEpochBench,
    readonly epoch: FastEpoch,
  ) {}

  static async open(bench: FastEpochBench, submitter: Submitter): Promise<Schedule> {
    const incarnation = await fast.store.incarnationOf(submitter);
    const epoch = await bench.enter(submitter, { incarnation, intents: 'relaxed' });
    expect(await fast.store.open([{ ...epoch, modeEpoch: FIRST_MODE_EPOCH }])).toEqual(['opened']);
    return new Schedule(bench, epoch);
  }

  async grant(ttlMs = 60_000): Promise<FastGrant> {
    const asked = { operationId: null, requestHash: null, metadata: null };
    const row = { ...asked, view: this.epoch.view, ids: [v7()], ttlMs };
    const [answer] = await fast.store.allocate([{ ...row, exposure: 'declared' }]);
    if (answer === undefined || answer instanceof Error) throw answer ?? new Error('no answer');
    if (answer.kind !== 'granted') throw new Error(JSON.stringify(answer));
    return answer.grants[0] as FastGrant;
  }

  /** Its holder sends it, and says so to the store alone. */
  async use({ id, nonce }: FastGrant): Promise<void> {
    const row = { word: 'used', view: this.epoch.view, id, nonce } as const;
    const words = { txHash: null, note: null, ttlMs: 0, followable: false };
    expect(await fast.store.settle([{ ...row, ...words }])).toMatchObject([{ kind: 'done' }]);
  }

  /** A reservation past its deadline leaves the store, and is free in Postgres. */
  async expire({ nonce }: FastGrant): Promise<void> {
    const [, , held = ''] = keys.ofSubmitter(this.epoch.view.submitter);
    await redis.client.zadd(held, 'XX', Date.now() - 1_000, String(nonce));
    expect(await fast.store.reclaim([this.epoch.view], 1)).toBe(1);
    await this.flush();
  }

  /** What a worker does; the store forgets what is settled. */
  async flush(): Promise<void> {
    const queue = new RedisEventQueue(redis.client, keys, SYSTEM_CLOCK, { consumer: 'worker' });
    const taken = await queue.take([keys.shardOf(this.epoch.view.submitter)], 100);
    const events = taken.flatMap(({ event }) => event ?? []);
    await new PostgresFlushStore(this.bench.fixture.runner).apply(events, QUARANTINE);
    await queue.acknowledge(taken);
  }

  /** What Postgres answers to a node that refills. */
  async lend(loanSeen?: number): Promise<FastEpoch> {
    const { view, ceiling } = this.epoch;
    const asked = { view, ceilingSeen: ceiling, raise: 0, defaultWindow: 0 };
    const request = loanSeen === undefined ? asked : { ...asked, loanSeen };
    const [answer] = await this.bench.epochs.refill([request], 'relaxed');
    return epochOf(answer);
  }

  /** The answer reaches the store, at last. */
  async deliver(loan: FastEpoch): Promise<unknown> {
    const [answer] = await fast.store.refill([loan]);
    return answer;
  }
}

describeGuards([
  {
    rule: 'S1, S3: what is lent again keeps the number of its first loan, which may have arrived',
    functionName: 'load_free',
    without: [
      'SET loan = CASE WHEN a.loaded_epoch = v_state.epoch THEN a.loan ELSE v_state.loan + 1 END',
      'SET loan = v_state.loan + 1',
    ],
    async harm(bench, submitter) {
      const schedule = await Schedule.open(bench, submitter);
      await schedule.expire(await schedule.grant());

      // One node is slow; the other is told that its loan has not arrived, and gets the nonce, too.
      const slow = await schedule.lend();
      const other = await schedule.lend(0);
      expect([slow.free, other.free]).toEqual([[{ nonce: 0, tainted: false }], slow.free]);
      expect(await schedule.deliver(slow)).toBe('refilled');
      const first = await schedule.grant();
      expect(first).toMatchObject({ nonce: 0, source: 'recycled' });

      // It is behind now, and asks once more while nobody but the store knows of that grant.
      expect(await schedule.deliver(other)).toEqual({ kind: 'behind', loan: slow.loan });
      const late = await schedule.lend(slow.loan);
      await schedule.use(first);
      await schedule.flush();
      expect(await schedule.deliver(late)).toBe('refilled');
      return (await schedule.grant()).nonce === first.nonce;
    },
  },
]);
