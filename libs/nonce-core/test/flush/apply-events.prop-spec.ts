import fc from 'fast-check';
import { v7 } from 'uuid';
import type { Nonce } from '../../src/domain/nonce';
import type { FastEpoch } from '../../src/ports/fast-epoch-store.port';
import type { FastGrant, FlushEvent } from '../../src/ports/fast-store.port';
import { hashOf } from '../support/store-fixture';
import { eventOf, grantOf, openFlushBench, type FlushBench } from './flushed-rows';
import { orderings } from './orderings';

let bench: FlushBench;
beforeAll(async () => {
  bench = await openFlushBench();
});
afterAll(() => bench.close());

/** The life of one nonce; the same for every nonce that plays it, but for names. */
type Story = (grant: (overrides: Partial<FastGrant>) => FastGrant) => readonly FlushEvent[];

const H1 = hashOf(1);
const H2 = hashOf(2);
const LATER_MS = 1_790_000_120_000;

const ONE_GRANT: Readonly<Record<string, Story>> = {
  'kept, then sent': (grant) => {
    const held = grant({ operationId: 'order-1', metadata: { order: 1 } });
    const kept = { ...held, deadlineMs: LATER_MS };
    return [
      eventOf(held, 'GRANTED', { rank: 1 }),
      eventOf(kept, 'GRANTED', { rank: 2, note: 'waiting for gas' }),
      eventOf(kept, 'BROADCAST', { rank: 3, hashes: [H1], note: 'waiting for gas' }),
      eventOf(kept, 'BROADCAST', { rank: 4, hashes: [H1, H2], note: 'waiting for gas' }),
    ];
  },
  'sent, then used where no chain is followed': (grant) => {
    const held = grant({ exposure: 'inferred' });
    return [
      eventOf(held, 'GRANTED', { rank: 1 }),
      eventOf(held, 'BROADCAST', { rank: 2, hashes: [H1] }),
      eventOf(held, 'ASSERTED', { rank: 3, hashes: [H1] }),
    ];
  },
  'given back': (grant) => {
    const held = grant({});
    return [
      eventOf(held, 'GRANTED', { rank: 1 }),
      eventOf(held, 'REUSABLE', { rank: 2, note: 'no funds' }),
    ];
  },
  'perhaps sent': (grant) => {
    const held = grant({ exposure: 'assumed' });
    return [
      eventOf(held, 'GRANTED', { rank: 1 }),
      eventOf(held, 'QUARANTINED', { rank: 2, note: 'no answer' }),
    ];
  },
  'expired, declared': (grant) => {
    const held = grant({});
    return [eventOf(held, 'GRANTED', { rank: 1 }), eventOf(held, 'EXPIRED', { rank: 2 })];
  },
  'expired, inferred': (grant) => {
    const held = grant({ exposure: 'inferred' });
    return [eventOf(held, 'GRANTED', { rank: 1 }), eventOf(held, 'EXPIRED', { rank: 2 })];
  },
  'a replacement given back': (grant) => {
    const held = grant({ source: 'replacement' });
    return [eventOf(held, 'GRANTED', { rank: 1 }), eventOf(held, 'QUARANTINED', { rank: 2 })];
  },
};

const SEVERAL_GRANTS: Readonly<Record<string, Story>> = {
  'H-6: granted, released, granted again': (grant) => {
    const first = grant({});
    const second = grant({ generation: 3, source: 'recycled' });
    return [
      eventOf(first, 'GRANTED', { rank: 1 }),
      eventOf(first, 'REUSABLE', { rank: 2 }),
      eventOf(second, 'GRANTED', { rank: 1 }),
    ];
  },
  'granted again and sent': (grant) => {
    const first = grant({});
    const second = grant({ generation: 7, source: 'recycled' });
    return [
      eventOf(first, 'GRANTED', { rank: 1 }),
      eventOf(first, 'REUSABLE', { rank: 2 }),
      eventOf(second, 'GRANTED', { rank: 1 }),
      eventOf(second, 'BROADCAST', { rank: 2, hashes: [H1] }),
    ];
  },
  'taken back by its late owner, then expired': (grant) => {
    const first = grant({});
    const again = { ...first, generation: 9 };
    return [
      eventOf(first, 'GRANTED', { rank: 1 }),
      eventOf(first, 'REUSABLE', { rank: 2 }),
      eventOf(again, 'GRANTED', { rank: 1 }),
      eventOf(again, 'EXPIRED', { rank: 2 }),
    ];
  },
};

/** A strict epoch's end hands that many unused nonces to the next one; none of them is played here. */
const FIRST_NONCE = 1_000;

interface Played {
  readonly epoch: FastEpoch;
  /** One order per nonce, from FIRST_NONCE up. */
  readonly orders: readonly (readonly FlushEvent[])[];
}

function played(
  epoch: FastEpoch,
  story: Story,
  orders: (events: readonly FlushEvent[]) => FlushEvent[][],
): Played {
  const template = story((overrides) => grantOf(epoch, 0, overrides));
  return {
    epoch,
    orders: orders(template).map((order, i) => {
      const ids = new Map<string, string>();
      return order.map((event) => {
        const id = ids.get(event.grant.id) ?? v7();
        ids.set(event.grant.id, id);
        return { ...event, grant: { ...event.grant, id, nonce: (FIRST_NONCE + i) as Nonce } };
      });
    }),
  };
}

/** All nonces at once, each by its own order: the first event of all, the second of all, … */
async function deliver({ orders }: Played): Promise<void> {
  const longest = Math.max(...orders.map((order) => order.length));
  for (let step = 0; step < longest; step += 1) {
    await bench.apply(...orders.flatMap((order) => order[step] ?? []));
  }
}

/** Rows and history as they would read for one nonce, with ids by their order of appearance. */
async function endings(epoch: FastEpoch, count: number): Promise<Map<string, number>> {
  const { submitter } = epoch.view;
  const [rows, past] = [await bench.rows(submitter), await bench.past(submitter)];
  const ends = new Map<string, number>();
  for (const { nonce, id, ...row } of rows) {
    if (nonce < FIRST_NONCE || nonce >= FIRST_NONCE + count) continue;
    const history = past
      .filter((grant) => grant.nonce === nonce)
      .map((grant) => ({ ...grant, nonce: 0, id: grant.id === id }));
    const text = JSON.stringify({ row, history });
    ends.set(text, (ends.get(text) ?? 0) + 1);
  }
  return ends;
}

describe.each(Object.entries({ ...ONE_GRANT, ...SEVERAL_GRANTS }))(
  'events of a nonce %s',
  (_, story) => {
    it.each(['strict', 'relaxed'] as const)(
      'end in the same row in every order, each delivered twice (%s, ruling epoch)',
      async (intents) => {
        const epoch = await bench.inEpoch(intents, 4_000);
        const play = played(epoch, story, (events) => orderings(events, 2));
        await deliver(play);
        const ends = await endings(epoch, play.orders.length);
        expect([...ends]).toEqual([[expect.any(String), play.orders.length]]);
      },
      60_000,
    );

    it.each(['strict', 'relaxed'] as const)(
      'end in the same row when their epoch (%s) has been cut off meanwhile',
      async (intents) => {
        const epoch = await bench.inEpoch(intents, 4_000);
        await bench.cutOff(epoch);
        const play = played(epoch, story, (events) => orderings(events, 2));
        await deliver(play);
        const ends = await endings(epoch, play.orders.length);
        expect([...ends]).toEqual([[expect.any(String), play.orders.length]]);
      },
      60_000,
    );

    it('end in the same row however they are cut into batches', async () => {
      const epoch = await bench.inEpoch('relaxed', 4_000);
      const events = story((overrides) => grantOf(epoch, FIRST_NONCE, overrides));
      await bench.apply(...events);
      const [expected] = (await endings(epoch, 1)).keys();
      let nonce = FIRST_NONCE;
      await fc.assert(
        fc.asyncProperty(
          fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 }),
          fc.array(fc.boolean(), { minLength: events.length * 2, maxLength: events.length * 2 }),
          async (order, cuts) => {
            nonce += 1;
            const [own] = played(
              epoch,
              () => order,
              (all) => [[...all]],
            ).orders;
            let batch: FlushEvent[] = [];
            for (const [i, event] of (own ?? []).entries()) {
              batch.push({ ...event, grant: { ...event.grant, nonce: nonce as Nonce } });
              if (cuts[i] !== true) continue;
              await bench.apply(...batch);
              batch = [];
            }
            await bench.apply(...batch);
          },
        ),
        { numRuns: 40 },
      );
      const count = nonce + 1 - FIRST_NONCE;
      expect([...(await endings(epoch, count))]).toEqual([[expected, count]]);
    });
  },
);
