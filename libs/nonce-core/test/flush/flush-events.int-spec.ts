import { NonceError } from '../../src/domain/errors/nonce-error';
import type { FlushEvent } from '../../src/ports/fast-store.port';
import type { FastEpoch } from '../../src/ports/fast-epoch-store.port';
import { hashOf, QUARANTINE } from '../support/store-fixture';
import { waitFor } from '../support/wait-for';
import { openQueueBench, SHARDS, type QueueBench } from './flush-bench';
import { eventOf, grantOf } from './flushed-rows';

let bench: QueueBench;
beforeEach(async () => {
  bench = await openQueueBench();
});
afterEach(() => bench.close());

const granted = (epoch: FastEpoch, nonce: number): FlushEvent =>
  eventOf(grantOf(epoch, nonce), 'GRANTED');

async function stages(epoch: FastEpoch): Promise<string[]> {
  const rows = await bench.rows(epoch.view.submitter);
  return rows.map((row) => `${String(row.nonce)} ${row.stage}`);
}

/** Two workers share the lease of one second or so; the tests wait for what follows from it. */
const SHORT_LEASE = { leaseMs: 200 };

describe('a worker', () => {
  it('brings events of all shards to their rows and empties the streams', async () => {
    const epochs = await Promise.all([bench.inEpoch(), bench.inEpoch(), bench.inEpoch('relaxed')]);
    await bench.enqueue(...epochs.flatMap((epoch) => [granted(epoch, 1), granted(epoch, 0)]));
    const worker = bench.worker('one');

    expect(await worker.flush.tick()).toBe(6);

    for (const epoch of epochs) expect(await stages(epoch)).toEqual(['0 GRANTED', '1 GRANTED']);
    expect(await bench.waiting()).toBe(0);
    expect(worker.told.events).toEqual([{ name: 'flush.completed', payload: { records: 6 } }]);
    const health = worker.flush.health();
    expect(health.lastSuccessAt).not.toBeNull();
    expect(health.lastFailure).toBeNull();
    expect(health.recordsPerSecond).toBeGreaterThan(0);
    expect(health.shards).toBe(SHARDS);
  });

  it('keeps up with more than one batch and read, in batches of the size it was given', async () => {
    const epoch = await bench.inEpoch('strict', 2_000);
    await bench.enqueue(...Array.from({ length: 1_500 }, (_, nonce) => granted(epoch, nonce)));
    const sizes: number[] = [];
    const { flush } = bench.workerOf(
      'one',
      {
        store: {
          ...portOf(bench),
          apply: (events, quarantine) => {
            sizes.push(events.length);
            return bench.flush.apply(events, quarantine);
          },
        },
      },
      { batchMax: 200 },
    );
    expect(await flush.tick()).toBe(1_500);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(200);
    expect(await bench.rows(epoch.view.submitter)).toHaveLength(1_500);
    expect(await bench.waiting()).toBe(0);
  });

  it('applies every message twice and nothing changes (S11)', async () => {
    const epoch = await bench.inEpoch('relaxed');
    const grant = grantOf(epoch, 0);
    const events = [
      eventOf(grant, 'GRANTED'),
      eventOf(grant, 'BROADCAST', { hashes: [hashOf(1)] }),
    ];
    await bench.enqueue(...events);
    await bench.worker('one').flush.tick();
    const before = await bench.rows(epoch.view.submitter);
    await bench.enqueue(...events, ...events);
    await bench.worker('one').flush.tick();
    expect(await bench.rows(epoch.view.submitter)).toEqual(before);
  });

  it('takes over what a silent one took and never acknowledged', async () => {
    const epoch = await bench.inEpoch();
    await bench.enqueue(granted(epoch, 0));
    const dead = bench.worker('dead');
    const shards = Array.from({ length: SHARDS }, (_, shard) => shard);
    expect(await dead.queue.take(shards, 10)).toHaveLength(1);

    const patient = bench.worker('patient', { silentMs: 60_000 });
    expect(await patient.flush.tick()).toBe(0);
    const heir = bench.worker('heir', { silentMs: 1 });
    await waitFor(async () => (await heir.flush.drain(shards, { deadlineMs: 0 })) === 0, {
      describe: 'the delivery to be taken over',
    });
    expect(await stages(epoch)).toEqual(['0 GRANTED']);
    expect(await heir.queue.takeAgain(shards, 10, 0)).toEqual([]);
  });

  it('makes its consumer group again after the server lost everything, and reads from the start', async () => {
    const epoch = await bench.inEpoch();
    const worker = bench.worker('one');
    await bench.enqueue(granted(epoch, 0));
    expect(await worker.flush.tick()).toBe(1);
    await bench.redis.client.del(bench.keys.events(bench.shardOf(granted(epoch, 0))));
    await worker.flush.tick();
    await bench.enqueue(granted(epoch, 1));
    await waitFor(async () => (await worker.flush.tick()) === 1, {
      describe: 'the stream to be read again',
    });
    expect(await stages(epoch)).toEqual(['0 GRANTED', '1 GRANTED']);
  });

  it('makes no stream: a missing one tells the scripts that events were lost', async () => {
    await bench.worker('one').flush.tick();
    expect(await bench.redis.client.keys(`${bench.redis.prefix}*`)).toEqual([]);
  });

  it('keeps everything queued while Postgres does not answer, says so, and alarms after the retries', async () => {
    const epoch = await bench.inEpoch();
    await bench.enqueue(granted(epoch, 0), granted(epoch, 1));
    let down = true;
    const worker = bench.workerOf(
      'one',
      {
        store: {
          ...portOf(bench),
          apply: (events, quarantine) =>
            down
              ? Promise.reject(new NonceError('NONCE_STORE_UNAVAILABLE'))
              : bench.flush.apply(events, quarantine),
        },
      },
      { retries: 3 },
    );
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      await expect(worker.flush.tick()).rejects.toThrow('NONCE_STORE_UNAVAILABLE');
      expect(worker.told.events).toHaveLength(attempt <= 3 ? 0 : 1);
    }
    expect(worker.told.events[0]?.name).toBe('flush.failed');
    expect(worker.flush.health().lastFailure).toContain('NONCE_STORE_UNAVAILABLE');
    expect(await bench.waiting()).toBe(2);
    expect(await bench.letters.count()).toBe(0);
    down = false;
    expect(await worker.flush.tick()).toBe(2);
    expect(worker.flush.health().failures).toBe(0);
  });

  it('finishes its batch when it is told to stop, and gives its shards back', async () => {
    const epoch = await bench.inEpoch('strict', 2_000);
    await bench.enqueue(...Array.from({ length: 1_200 }, (_, nonce) => granted(epoch, nonce)));
    const ending = new AbortController();
    const worker = bench.workerOf(
      'one',
      {
        store: {
          ...portOf(bench),
          apply: async (events, quarantine) => {
            ending.abort();
            await bench.flush.apply(events, quarantine);
          },
        },
      },
      { batchMax: 100 },
    );
    const flushed = await worker.flush.tick(ending.signal);
    await worker.flush.stop();
    expect(flushed).toBeLessThan(1_200);
    expect(await bench.rows(epoch.view.submitter)).toHaveLength(flushed);
    // Nothing lies delivered with somebody who is gone.
    const next = bench.worker('two', { silentMs: 600_000 });
    expect(await next.flush.tick()).toBe(1_200 - flushed);
    expect(next.flush.health().shards).toBe(SHARDS);
  });
});

describe('an event that cannot be applied', () => {
  /** Postgres takes no such id; everything else about it is in order. */
  const poison = (epoch: FastEpoch, nonce: number) =>
    eventOf(grantOf(epoch, nonce, { id: 'not-a-uuid' }), 'GRANTED');

  it('fails alone, comes five times and becomes a dead letter with its nonce in quarantine; others go on', async () => {
    const [epoch, other] = [await bench.inEpoch(), await bench.inEpoch()];
    await bench.enqueue(
      ...[0, 1, 2].map((nonce) => granted(epoch, nonce)),
      poison(epoch, 3),
      ...[4, 5].map((nonce) => granted(epoch, nonce)),
      granted(other, 0),
    );
    const worker = bench.worker('one');

    expect(await worker.flush.tick()).toBe(6);
    expect(await stages(other)).toEqual(['0 GRANTED']);
    for (let delivery = 2; delivery <= 4; delivery += 1) {
      expect(await worker.flush.tick()).toBe(0);
      expect(await bench.letters.count()).toBe(0);
    }
    expect(await worker.flush.tick()).toBe(1);

    expect(await stages(epoch)).toEqual([
      '0 GRANTED',
      '1 GRANTED',
      '2 GRANTED',
      '3 QUARANTINED',
      '4 GRANTED',
      '5 GRANTED',
    ]);
    expect(await bench.waiting()).toBe(0);
    const [letter] = await bench.letters.list({ after: null, limit: 10 });
    expect(letter).toMatchObject({ submitter: epoch.view.submitter, nonce: 3, deliveries: 5 });
    expect(letter?.reason).toMatch(/uuid/);
    // The alarm after three retries, and the burial.
    expect(worker.told.events.filter(({ name }) => name === 'flush.failed')).toHaveLength(2);
    expect(await worker.flush.tick()).toBe(0);
  });

  it('is buried once, however often its burial is repeated', async () => {
    const epoch = await bench.inEpoch();
    const event = granted(epoch, 0);
    const delivery = { shard: 0, entryId: '1-1', event, text: '', deliveries: 5 };
    await bench.flush.bury(delivery, 'why', QUARANTINE);
    const before = await bench.rows(epoch.view.submitter);
    await bench.flush.bury(delivery, 'why', QUARANTINE);
    expect(await bench.letters.count()).toBe(1);
    expect(await bench.rows(epoch.view.submitter)).toEqual(before);
  });

  it('quarantines the nonce it names although it cannot be read', async () => {
    const epoch = await bench.inEpoch();
    const shard = bench.shardOf(granted(epoch, 0));
    await bench.enqueueText(shard, ['s', epoch.view.submitter, 'n', '7', 'k', 'NEVER HEARD OF']);
    await bench.enqueueText(shard, ['who', 'knows']);
    const worker = bench.worker('one', { maxDeliveries: 1 });
    expect(await worker.flush.tick()).toBe(2);
    expect(await stages(epoch)).toEqual(['7 QUARANTINED']);
    const letters = await bench.letters.list({ after: null, limit: 10 });
    expect(letters.map(({ nonce }) => nonce).sort()).toEqual([7, null]);
    expect(letters.map((letter) => bench.letters.eventOf(letter))).toEqual([null, null]);
  });

  it('leaves a row with an intent as it is when it is buried', async () => {
    const epoch = await bench.inEpoch('relaxed');
    const grant = grantOf(epoch, 0);
    const sent = eventOf(grant, 'BROADCAST', { hashes: [hashOf(1)] });
    await bench.apply(sent);
    const delivery = { shard: 0, entryId: '1-1', event: sent, text: '', deliveries: 5 };
    await bench.flush.bury(delivery, 'why', QUARANTINE);
    expect(await stages(epoch)).toEqual(['0 BROADCAST']);
  });

  it('can be applied by hand later, and its hash then counts', async () => {
    const epoch = await bench.inEpoch('relaxed');
    const event = eventOf(grantOf(epoch, 0), 'BROADCAST', { hashes: [hashOf(1)] });
    const delivery = { shard: 0, entryId: '1-1', event, text: '', deliveries: 5 };
    await bench.flush.bury(delivery, 'why', QUARANTINE);
    const [letter] = await bench.letters.list({ after: null, limit: 1 });
    await bench.apply(bench.letters.eventOf(letter!)!);
    await bench.letters.resolve(letter!.id);
    expect(await bench.rows(epoch.view.submitter)).toMatchObject([
      { stage: 'INTENT', hashes: [hashOf(1)] },
    ]);
    expect(await bench.letters.count()).toBe(0);
    expect(await bench.letters.find(letter!.id)).toMatchObject({ nonce: 0 });
    expect(await bench.letters.list({ after: letter!.id, limit: 1 })).toEqual([]);
  });

  it('waits while this database does not know its epoch yet, and writes nothing (K9)', async () => {
    const epoch = await bench.inEpoch();
    const future = { ...epoch, view: { ...epoch.view, epoch: (epoch.view.epoch + 5) as never } };
    await bench.enqueue(granted(future, 0), granted(epoch, 1_000_000));
    const worker = bench.worker('one');
    expect(await worker.flush.tick()).toBe(0);
    expect(worker.flush.health().lastFailure).toMatch(/ahead of this database/);
    expect(await stages(epoch)).toEqual([]);
    expect(await bench.waiting()).toBe(2);
  });
});

describe('the claims of workers', () => {
  const held = async (names: readonly string[]) => {
    const { rows } = await bench.fixture.database.pool.query<{ worker: string }>(
      'SELECT worker FROM flush_shard WHERE worker IS NOT NULL',
    );
    return names.map((name) => rows.filter(({ worker }) => worker === name).length);
  };
  const claim = (worker: string) =>
    bench.flush.claimShards({ worker, shards: SHARDS, ...SHORT_LEASE });

  it('are shared fairly, each shard by one worker, as workers come and go', async () => {
    expect(await claim('a')).toHaveLength(SHARDS);
    const names = ['a', 'b', 'c'];
    await waitFor(
      async () => {
        const owned = (await Promise.all(names.map(claim))).flat();
        const counts = await held(names);
        expect(new Set(owned).size).toBe(owned.length);
        return owned.length === SHARDS && Math.max(...counts) === Math.ceil(SHARDS / 3);
      },
      { describe: 'each to have its third' },
    );
    await bench.flush.releaseShards('b');
    await waitFor(
      async () => {
        await Promise.all(['a', 'c'].map(claim));
        return (await held(names)).join() === [SHARDS / 2, 0, SHARDS / 2].join();
      },
      { describe: 'the two that are left to share the rest' },
    );
  });

  it('move to the others when a worker dies without a word', async () => {
    await Promise.all([claim('dead'), claim('alive')]);
    await waitFor(async () => (await claim('alive')).length === SHARDS, {
      describe: 'the leases of the dead worker to end',
    });
    expect(await held(['dead', 'alive'])).toEqual([0, SHARDS]);
    const { rows } = await bench.fixture.database.pool.query('SELECT slot FROM flush_worker');
    expect(rows.length).toBeLessThanOrEqual(2);
  });
});

describe('the barrier', () => {
  it('returns when nothing waits, with what others have in hand taken over', async () => {
    const epoch = await bench.inEpoch();
    await bench.enqueue(granted(epoch, 0), granted(epoch, 1));
    const shard = bench.shardOf(granted(epoch, 0));
    await bench.worker('dead').queue.take([shard], 1);
    const left = await bench
      .worker('barrier', { silentMs: 5 })
      .flush.drain([shard], { deadlineMs: 10_000 });
    expect(left).toBe(0);
    expect(await stages(epoch)).toEqual(['0 GRANTED', '1 GRANTED']);
  });

  it('says at its deadline how much is left', async () => {
    const epoch = await bench.inEpoch();
    await bench.enqueue(granted(epoch, 0));
    const shard = bench.shardOf(granted(epoch, 0));
    await bench.worker('busy').queue.take([shard], 1);
    const barrier = bench.worker('barrier', { silentMs: 60_000 });
    expect(await barrier.flush.drain([shard], { deadlineMs: 30 })).toBe(1);
  });

  it('empties one shard within the call, once for all who ask at the same time', async () => {
    const epoch = await bench.inEpoch();
    const shard = bench.shardOf(granted(epoch, 0));
    await bench.enqueue(granted(epoch, 0), granted(epoch, 1));
    const { flush } = bench.worker('node');
    const answers = await Promise.all([flush.flushNow(shard), flush.flushNow(shard)]);
    expect(answers).toEqual([2, 2]);
    expect(await bench.waiting()).toBe(0);
  });
});

function portOf({ flush }: QueueBench) {
  return {
    bury: flush.bury.bind(flush),
    claimShards: flush.claimShards.bind(flush),
    releaseShards: flush.releaseShards.bind(flush),
  };
}
