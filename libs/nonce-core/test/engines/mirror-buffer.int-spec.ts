import type { Allocation } from '../../src/domain/allocation';
import type { Submitter } from '../../src/domain/submitter';
import { MirrorBuffer, type MirrorBufferOptions } from '../../src/engines/dual-write/mirror-buffer';
import type { MirrorNews } from '../../src/ports/mirror.port';
import { RedisServer } from '../../../../tools/src/stack/index';
import { SYSTEM_CLOCK } from '../contract/postgres-subject';
import { newSubmitter } from '../support/store-fixture';
import { waitFor } from '../support/wait-for';
import { countingMetrics, openMirrorBench, type MirrorBench } from './mirror-bench';

const NAME = 'nonce_mirror_records_total';

let server: RedisServer;
let bench: MirrorBench;
beforeAll(async () => {
  server = await RedisServer.start();
  bench = await openMirrorBench({ url: server.url, prefix: 'nonce' });
});
afterAll(async () => {
  await bench.close();
  await server.stop();
});

/** Writes to the real mirror, each when the test lets it. */
function heldMirror(): { store: MirrorBufferPortsStore; batches: MirrorNews[][]; release(): void } {
  const batches: MirrorNews[][] = [];
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const store = {
    shardOf: (submitter: Submitter) => bench.mirror.shardOf(submitter),
    write: async (news: readonly MirrorNews[]) => {
      batches.push([...news]);
      await gate;
      await bench.mirror.write(news);
    },
  };
  return { store, batches, release: () => release() };
}

type MirrorBufferPortsStore = ConstructorParameters<typeof MirrorBuffer>[0]['store'];

function bufferOn(store: MirrorBufferPortsStore, options: Partial<MirrorBufferOptions> = {}) {
  const metrics = countingMetrics();
  return { metrics, buffer: new MirrorBuffer({ store, clock: SYSTEM_CLOCK, metrics }, options) };
}

let lastUs = 1_790_000_000_000_000;

function fact(submitter: Submitter, nonce: number, stage: Allocation['stage'] = 'GRANTED') {
  lastUs += 1;
  return {
    ...{ id: `owner-${nonce}`, submitter, nonce, stage, epoch: 1, source: 'fresh' },
    updatedAtUs: lastUs,
  } as unknown as Allocation;
}

describe('the buffer before the mirror', () => {
  it('writes one batch per shard at a time, of each nonce the latest fact only', async () => {
    const submitter = newSubmitter();
    const { store, batches, release } = heldMirror();
    const { buffer, metrics } = bufferOn(store);
    buffer.tell([fact(submitter, 0)]);
    await Promise.resolve();
    await Promise.resolve();
    const older = fact(submitter, 1);
    buffer.tell([fact(submitter, 1, 'INTENT'), older, fact(submitter, 1, 'BROADCAST')]);
    buffer.tell([older, fact(submitter, 2)]);
    expect(batches).toHaveLength(1);
    expect(metrics.of('nonce_mirror_waiting')).toBe(2);
    release();
    await buffer.idle();
    expect(batches.map(([news]) => news!.nonces.map(({ nonce }) => nonce))).toEqual([[0], [1, 2]]);
    const mirrored = await bench.openInMirror(submitter);
    expect(mirrored.map(({ stage }) => stage)).toEqual(['GRANTED', 'BROADCAST', 'GRANTED']);
    expect(metrics.of(NAME, 'written')).toBe(3);
    expect(metrics.of('nonce_mirror_waiting')).toBe(0);
  });

  it('drops and counts what finds no room, and the comparison brings it', async () => {
    const submitter = newSubmitter();
    const { store, release } = heldMirror();
    const { buffer, metrics } = bufferOn(store, { maxWaiting: 3 });
    buffer.tell(Array.from({ length: 10 }, (_, nonce) => fact(submitter, nonce)));
    expect(metrics.of(NAME, 'dropped')).toBe(7);
    release();
    await buffer.idle();
    expect(await bench.openInMirror(submitter)).toHaveLength(3);
  });

  it('splits what is too much for one call', async () => {
    const submitter = newSubmitter();
    const { store, batches, release } = heldMirror();
    const { buffer } = bufferOn(store, { maxBatch: 4 });
    buffer.tell(Array.from({ length: 10 }, (_, nonce) => fact(submitter, nonce)));
    release();
    await buffer.idle();
    expect(batches.map(([news]) => news!.nonces.length)).toEqual([4, 4, 2]);
    expect(await bench.openInMirror(submitter)).toHaveLength(10);
  });

  it('drops and counts all that waits when it stops, and whatever comes then', async () => {
    const submitter = newSubmitter();
    const { store, release } = heldMirror();
    const { buffer, metrics } = bufferOn(store, { maxBatch: 1 });
    buffer.tell([fact(submitter, 0), fact(submitter, 1)]);
    await buffer.stop(20);
    buffer.tell([fact(submitter, 2)]);
    expect(metrics.of(NAME, 'dropped')).toBe(2);
    release();
    await buffer.idle();
  });

  it('tells nobody that Redis is away, rests, and writes again when it is back', async () => {
    const submitter = newSubmitter();
    const { buffer, metrics } = bufferOn(bench.mirror, { restMs: 50 });
    await server.kill();
    buffer.tell([fact(submitter, 0)]);
    await buffer.idle();
    buffer.tell([fact(submitter, 1)]);
    await buffer.idle();
    expect([metrics.of(NAME, 'failed'), metrics.of(NAME, 'dropped')]).toEqual([1, 1]);
    await server.restart();
    const writesAgain = async (): Promise<boolean> => {
      buffer.tell([fact(submitter, 2)]);
      await buffer.idle();
      return metrics.of(NAME, 'written') > 0;
    };
    await waitFor(writesAgain, { describe: 'a fact to be written again' });
    expect((await bench.openInMirror(submitter)).map(({ nonce }) => nonce)).toEqual([2]);
  });
});
