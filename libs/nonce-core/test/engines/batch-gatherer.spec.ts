import { isNonceError } from '../../src/domain/errors/nonce-error';
import { BatchGatherer, type GatheredCall } from '../../src/engine-parts/batch-gatherer';

interface Wish {
  readonly key: string;
  readonly label: string;
  readonly weight?: number;
}

interface Limits {
  maxWaiting?: number;
  batchesInFlight?: number;
  maxWeight?: number;
  maxWeightPerKey?: number;
  oneFlightPerKey?: boolean;
}

/** A gatherer whose batches land only when told to. */
function bench(limits: Limits = {}) {
  const batches: (readonly GatheredCall<Wish, string>[])[] = [];
  const landings: (() => void)[] = [];
  const gatherer = new BatchGatherer<Wish, string>(
    async (calls) => {
      batches.push(calls);
      await new Promise<void>((resolve) => landings.push(resolve));
      for (const call of calls) call.resolve(call.request.label);
    },
    { maxWaiting: limits.maxWaiting ?? 100, batchesInFlight: limits.batchesInFlight ?? 1 },
    {
      keyOf: (wish) => wish.key,
      weightOf: (wish) => wish.weight ?? 1,
      maxWeight: limits.maxWeight ?? 100,
      maxWeightPerKey: limits.maxWeightPerKey ?? 100,
      oneFlightPerKey: limits.oneFlightPerKey ?? false,
    },
  );
  const labels = (index: number): string[] =>
    (batches[index] ?? []).map((call) => call.request.label);
  const land = async (): Promise<void> => {
    landings.shift()?.();
    await turn();
    await turn();
  };
  return { gatherer, batches, labels, land };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const wishes = (key: string, ...labels: string[]): Wish[] =>
  labels.map((label) => ({ key, label }));

describe('the batch gatherer', () => {
  it('starts a lone call after one event-loop turn, without a timer', async () => {
    const { gatherer, labels, land } = bench();
    const answer = gatherer.submit({ key: 'a', label: 'only' });
    expect(labels(0)).toEqual([]);
    await turn();
    expect(labels(0)).toEqual(['only']);
    await land();
    expect(await answer).toBe('only');
  });

  it('puts the calls of one turn into one batch, and gathers the next while it flies', async () => {
    const { gatherer, labels, land, batches } = bench();
    const first = wishes('a', '1', '2', '3').map((wish) => gatherer.submit(wish));
    await turn();
    const second = wishes('a', '4', '5').map((wish) => gatherer.submit(wish));
    await turn();
    expect(batches).toHaveLength(1);
    await land();
    expect(await Promise.all(first)).toEqual(['1', '2', '3']);
    expect(labels(1)).toEqual(['4', '5']);
    await land();
    expect(await Promise.all(second)).toEqual(['4', '5']);
  });

  it('lets the callers of a landed batch into the next one, instead of alternating 1 and n - 1', async () => {
    const { gatherer, batches, land } = bench();
    const caller = async (): Promise<void> => {
      for (let i = 0; i < 3; i += 1) await gatherer.submit({ key: 'a', label: 'x' });
    };
    const all = Promise.all(Array.from({ length: 8 }, caller));
    await turn();
    for (let i = 0; i < 3; i += 1) await land();
    await all;
    expect(batches.map((batch) => batch.length)).toEqual([8, 8, 8]);
  });

  it('flies as many batches at once as allowed', async () => {
    const { gatherer, batches } = bench({ batchesInFlight: 2, maxWeight: 2 });
    for (const wish of wishes('a', '1', '2', '3', '4', '5', '6')) void gatherer.submit(wish);
    for (let i = 0; i < 5; i += 1) await turn();
    expect(batches.map((batch) => batch.length)).toEqual([2, 2]);
  });

  it('gives a busy key no more than its share, and keeps its order', async () => {
    const { gatherer, labels, land } = bench({ maxWeightPerKey: 2 });
    for (const wish of wishes('busy', 'b1', 'b2', 'b3', 'b4')) void gatherer.submit(wish);
    for (const wish of wishes('quiet', 'q1')) void gatherer.submit(wish);
    await turn();
    expect(labels(0)).toEqual(['b1', 'b2', 'q1']);
    for (const wish of wishes('quiet', 'q2')) void gatherer.submit(wish);
    await land();
    expect(labels(1)).toEqual(['b3', 'b4', 'q2']);
  });

  it('fills a batch by weight, and takes a call heavier than the limit alone', async () => {
    const { gatherer, labels, land } = bench({ maxWeight: 5, maxWeightPerKey: 5 });
    const heavy = { key: 'a', label: 'heavy', weight: 9 };
    for (const wish of [heavy, { key: 'a', label: 'a4', weight: 4 }, ...wishes('b', 'b1', 'b2')]) {
      void gatherer.submit(wish);
    }
    await turn();
    expect(labels(0)).toEqual(['heavy']);
    await land();
    expect(labels(1)).toEqual(['b1', 'b2']);
    await land();
    expect(labels(2)).toEqual(['a4']);
  });

  it('keeps two calls of one key out of one batch, and out of two batches at once, when asked to', async () => {
    const { gatherer, labels, land, batches } = bench({
      oneFlightPerKey: true,
      maxWeightPerKey: 1,
      batchesInFlight: 3,
    });
    for (const wish of [...wishes('a', 'a1', 'a2'), ...wishes('b', 'b1')])
      void gatherer.submit(wish);
    for (let i = 0; i < 4; i += 1) await turn();
    expect(batches).toHaveLength(1);
    expect(labels(0)).toEqual(['a1', 'b1']);
    await land();
    expect(labels(1)).toEqual(['a2']);
  });

  it('refuses calls beyond its queue with NONCE_BACKPRESSURE', async () => {
    const { gatherer, labels, land } = bench({ maxWaiting: 2 });
    const [first, second, third] = wishes('a', '1', '2', '3').map((wish) => gatherer.submit(wish));
    await expect(third).rejects.toMatchObject({ code: 'NONCE_BACKPRESSURE' });
    await turn();
    expect(labels(0)).toEqual(['1', '2']);
    await land();
    expect(await Promise.all([first, second])).toEqual(['1', '2']);
  });

  it('keeps a held key waiting while others go on, and puts returned calls first', async () => {
    const returned: GatheredCall<Wish, string>[] = [];
    const seen: string[][] = [];
    const gatherer = new BatchGatherer<Wish, string>(
      async (calls) => {
        seen.push(calls.map((call) => call.request.label));
        for (const call of calls) {
          if (seen.length === 1 && call.request.key === 'a') returned.push(call);
          else call.resolve(call.request.label);
        }
        if (seen.length === 1) gatherer.hold('a');
      },
      { maxWaiting: 10, batchesInFlight: 1 },
      {
        keyOf: (wish) => wish.key,
        weightOf: () => 1,
        maxWeight: 10,
        maxWeightPerKey: 10,
        oneFlightPerKey: false,
      },
    );
    const all = [...wishes('a', 'a1', 'a2'), ...wishes('b', 'b1')].map((w) => gatherer.submit(w));
    await turn();
    all.push(
      gatherer.submit({ key: 'a', label: 'a3' }),
      gatherer.submit({ key: 'b', label: 'b2' }),
    );
    await turn();
    await turn();
    expect(seen).toEqual([['a1', 'a2', 'b1'], ['b2']]);
    gatherer.again('a', returned);
    gatherer.release('a');
    expect(await Promise.all(all)).toEqual(['a1', 'a2', 'b1', 'a3', 'b2']);
    expect(seen[2]).toEqual(['a1', 'a2', 'a3']);
  });

  it('ends a call that comes back again and again with NONCE_INTERNAL', async () => {
    const gatherer = new BatchGatherer<Wish, string>(
      async (calls) => {
        gatherer.again('a', calls);
      },
      { maxWaiting: 10, batchesInFlight: 1 },
      {
        keyOf: (wish) => wish.key,
        weightOf: () => 1,
        maxWeight: 10,
        maxWeightPerKey: 10,
        oneFlightPerKey: false,
      },
    );
    const call = gatherer.submit({ key: 'a', label: 'x' });
    await expect(call).rejects.toMatchObject({ code: 'NONCE_INTERNAL' });
  });

  it('answers what it accepted when it stops, and refuses what comes then', async () => {
    const { gatherer, land } = bench();
    const inFlight = gatherer.submit({ key: 'a', label: '1' });
    await turn();
    const waiting = gatherer.submit({ key: 'a', label: '2' });
    const stopped = gatherer.stop(5_000);
    await expect(gatherer.submit({ key: 'a', label: '3' })).rejects.toMatchObject({
      code: 'NONCE_BACKPRESSURE',
    });
    await land();
    await land();
    await stopped;
    expect(await Promise.all([inFlight, waiting])).toEqual(['1', '2']);
  });

  it('refuses what has not begun by the deadline of a stop, and only that', async () => {
    const { gatherer, land } = bench();
    const inFlight = gatherer.submit({ key: 'a', label: '1' });
    await turn();
    const waiting = gatherer.submit({ key: 'a', label: '2' }).catch((error: unknown) => error);
    await gatherer.stop(1);
    expect(isNonceError(await waiting, 'NONCE_BACKPRESSURE')).toBe(true);
    await land();
    expect(await inFlight).toBe('1');
  });

  it('gives every caller the error of a batch that fails as a whole', async () => {
    const gatherer = new BatchGatherer<Wish, string>(
      () => Promise.reject(new Error('broken')),
      { maxWaiting: 10, batchesInFlight: 1 },
      {
        keyOf: (wish) => wish.key,
        weightOf: () => 1,
        maxWeight: 10,
        maxWeightPerKey: 10,
        oneFlightPerKey: false,
      },
    );
    const calls = wishes('a', '1', '2').map((wish) => gatherer.submit(wish));
    for (const call of calls) await expect(call).rejects.toThrow('broken');
  });
});
