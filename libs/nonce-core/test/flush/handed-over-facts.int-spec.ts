import { v7 } from 'uuid';
import { RedisServer } from '../../../../tools/src/stack/index';
import type { HolderCommand } from '../../src/domain/holder-command';
import type { Nonce } from '../../src/domain/nonce';
import {
  INTENT_POLICIES,
  type FastEpoch,
  type IntentPolicy,
} from '../../src/ports/fast-epoch-store.port';
import type { FastGrant, FastView, FlushEvent } from '../../src/ports/fast-store.port';
import { FastFixture, tainted } from '../redis/fast-fixture';
import { batchOf, hashOf, noncesOf, QUARANTINE, rowOf } from '../support/store-fixture';
import { openFlushBench, type FlushBench, type FlushedRow } from './flushed-rows';
import { orderings } from './orderings';

/**
 * What a fast store hands over is brought to Postgres beside its events, in any order and any number
 * of times: the store is real, and each order is tried on a nonce of its own.
 */
let server: RedisServer;
let fast: FastFixture;
let bench: FlushBench;

beforeAll(async () => {
  server = await RedisServer.start();
  fast = await FastFixture.start(server);
  bench = await openFlushBench();
});
afterEach(async () => {
  await fast.direct.flushall();
});
afterAll(async () => {
  fast.stop();
  await server.stop();
  await bench.close();
});

const [H1, H2] = [hashOf(1), hashOf(2)];
type Item = FlushEvent | HolderCommand;

interface Story {
  readonly name: string;
  readonly exposure?: FastGrant['exposure'];
  readonly source?: 'replacement';
  /** What is said to the store about the grant of nonce 0. */
  readonly play?: (view: FastView, grant: FastGrant) => Promise<unknown>;
  /** What its holder says to Postgres meanwhile. */
  readonly command?: HolderCommand;
  readonly row: Partial<FlushedRow>;
}

async function expire(view: FastView): Promise<void> {
  await fast.direct.zadd(fast.key('held'), 1, '0');
  await fast.store.reclaim([view], 1);
}

const STORIES: readonly Story[] = [
  { name: 'granted', row: { stage: 'GRANTED', rank: 1 } },
  {
    name: 'kept with a note',
    play: (view, grant) => fast.say(view, ['keep', grant], { note: 'later', ttlMs: 90_000 }),
    row: { stage: 'GRANTED', rank: 2, note: 'later' },
  },
  {
    name: 'submitted',
    play: (view, grant) => fast.say(view, ['submitted', grant], { txHash: H1 }),
    row: { stage: 'BROADCAST', hashes: [H1] },
  },
  {
    name: 'used without a hash',
    play: (view, grant) => fast.say(view, ['used', grant], { followable: false }),
    row: { stage: 'ASSERTED', hashes: null },
  },
  {
    name: 'released',
    play: (view, grant) => fast.say(view, ['recyclable', grant]),
    row: { stage: 'REUSABLE' },
  },
  {
    name: 'released and granted again',
    play: async (view, grant) => {
      await fast.say(view, ['recyclable', grant]);
      await fast.grant(view);
    },
    row: { stage: 'GRANTED', generation: 3, source: 'recycled' },
  },
  {
    name: 'taken back by a late send of its last holder',
    play: async (view, grant) => {
      await fast.say(view, ['recyclable', grant]);
      await fast.say(view, ['submitted', grant], { txHash: H1 });
    },
    row: { stage: 'BROADCAST', generation: 3, hashes: [H1] },
  },
  {
    name: 'quarantined',
    play: (view, grant) => fast.say(view, ['quarantine', grant]),
    row: { stage: 'QUARANTINED' },
  },
  { name: 'expired', play: expire, row: { stage: 'REUSABLE', loaded: null } },
  {
    name: 'expired in a black box',
    exposure: 'inferred',
    play: expire,
    row: { stage: 'QUARANTINED' },
  },
  {
    name: 'about to have an intent written',
    play: (view, grant) => fast.say(view, ['exposing', grant]),
    row: { stage: 'GRANTED', rank: 1 },
  },
  {
    name: 'exposed by an intent of which the store was not told',
    play: (view, grant) => fast.say(view, ['exposing', grant]),
    command: 'intent',
    row: { stage: 'INTENT', hashes: [H2] },
  },
  {
    name: 'exposed by an intent, and expired in the store',
    play: expire,
    command: 'intent',
    row: { stage: 'INTENT', hashes: [H2] },
  },
  {
    name: 'a replacement for somebody who may have sent',
    source: 'replacement',
    row: { stage: 'GRANTED', source: 'replacement' },
  },
  {
    name: 'a replacement that was given back',
    source: 'replacement',
    play: (view, grant) => fast.say(view, ['recyclable', grant]),
    row: { stage: 'QUARANTINED', source: 'replacement' },
  },
  {
    name: 'a replacement that expired',
    source: 'replacement',
    play: expire,
    row: { stage: 'QUARANTINED', source: 'replacement' },
  },
];

/** Events and fact of nonce 0, as a real store tells them. */
async function told(story: Story): Promise<{ events: FlushEvent[]; fact: FlushEvent }> {
  const view = await fast.view();
  await fast.open(view, story.source ? { base: 1, free: tainted(0) } : {});
  const grant = await fast.grant(view, { exposure: story.exposure ?? 'declared' });
  await story.play?.(view, grant);
  const events = [...(await fast.events())];
  const [fact] = (await fast.handOver(view))?.facts ?? [];
  if (fact === undefined) throw new Error('nothing was handed over');
  return { events, fact };
}

/** An expired grant has an intent only when that came first: later it would be a late owner's. */
function mayHappen(order: readonly Item[]): boolean {
  const expired = order.findIndex((item) => typeof item === 'object' && item.stage === 'EXPIRED');
  const intent = order.indexOf('intent');
  return expired < 0 || intent < 0 || intent < expired;
}

/** The same words, about a nonce and grants of another submitter. */
function moved(epoch: FastEpoch, nonce: number): (event: FlushEvent) => FlushEvent {
  const ids = new Map<string, string>();
  return (event) => {
    const id = ids.get(event.grant.id) ?? v7();
    ids.set(event.grant.id, id);
    const { submitter, epoch: number } = epoch.view;
    const grant = { ...event.grant, id, submitter, epoch: number, nonce: nonce as Nonce };
    return { ...event, grant };
  };
}

async function say(command: HolderCommand, grant: FastGrant): Promise<void> {
  const { id, submitter, nonce } = grant;
  const words = { txHash: H2, rawTx: null, note: null, ttlMs: 30_000, followable: true };
  const [answer] = await bench.fixture.store.command(
    [{ command, id, submitter, nonce, ...words, grant }],
    QUARANTINE,
  );
  expect(answer?.kind).toBe('done');
}

/** An epoch in which each of so many nonces has a past that may be out, where the story has one. */
async function epochFor(story: Story, intents: IntentPolicy, count: number): Promise<FastEpoch> {
  if (story.source === undefined) return bench.inEpoch(intents, count);
  const lost = await bench.inEpoch('relaxed', count);
  return bench.cutOff(lost, intents);
}

/**
 * Everything about rows but what differs by the nonce. A replacement is unclean with or without the
 * mark of its past, which it keeps when Postgres hears of its end first.
 */
function alike(rows: readonly FlushedRow[]): readonly Partial<FlushedRow>[] {
  return rows.map((row) => ({
    ...row,
    nonce: 0,
    id: '',
    shared: row.source === 'replacement' || row.shared,
  }));
}

async function toPostgres({ view }: FastEpoch, retiredNext: number): Promise<void> {
  expect(await bench.epochs.close(view, retiredNext, 'test')).toBe(true);
  await bench.fixture.database.pool.query(
    `UPDATE submitter_nonce_state SET engine = 'reliable' WHERE submitter = $1`,
    [view.submitter],
  );
}

describe.each(INTENT_POLICIES)('H-2, S9: under %s intents, the facts of a hand-over', (intents) => {
  it.each(STORIES)('say the same as the events: $name', async (story) => {
    const { events, fact } = await told(story);
    const items: Item[] = [...events, fact, ...(story.command ? [story.command] : [])];
    const orders = orderings(items).filter(mayHappen);
    const epoch = await epochFor(story, intents, orders.length);
    for (const [nonce, order] of orders.entries()) {
      const move = moved(epoch, nonce);
      const own = move(fact).grant;
      for (const item of [...order, ...order.filter((each) => typeof each === 'object')])
        if (typeof item === 'object') await bench.apply(move(item));
        else await say(item, own);
    }
    const submitter = epoch.view.submitter;
    const rows = (await bench.rows(submitter)).slice(0, orders.length);
    expect(rows).toHaveLength(orders.length);
    expect(rows[0]).toMatchObject(story.row);
    expect(alike(rows)).toEqual(rows.map(() => alike(rows)[0]));

    // The end of the epoch changes nothing that was told, neither do words that come after it.
    await toPostgres(epoch, orders.length);
    for (const nonce of orders.keys()) {
      const move = moved(epoch, nonce);
      const ids = rows[nonce]?.id ?? '';
      for (const event of [...events, fact].filter((each) => each.grant.id === fact.grant.id)) {
        const late = move(event);
        await bench.apply({ ...late, grant: { ...late.grant, id: ids } });
      }
    }
    const after = (await bench.rows(submitter)).slice(0, orders.length);
    expect(after.map(({ stage, id }) => `${stage} ${id}`)).toEqual(
      rows.map(({ stage, id }) => `${stage} ${id}`),
    );
  });

  it('free nothing that is held or may be out: Postgres goes on with the released ones and behind', async () => {
    const view = await fast.view();
    await fast.open(view, { ceiling: 16 });
    const epoch = await bench.inEpoch(intents, 16);
    const grants = await Promise.all(
      Array.from({ length: 8 }, () => fast.grant(view, { exposure: 'declared' })),
    );
    const by = new Map(grants.map((grant) => [Number(grant.nonce), grant]));
    const of = (nonce: number) => by.get(nonce)!;
    await fast.say(view, ['submitted', of(1)], { txHash: H1 });
    await fast.say(view, ['used', of(2)], { followable: false });
    await fast.say(view, ['recyclable', of(3)]);
    await fast.say(view, ['quarantine', of(4)]);
    await fast.say(view, ['exposing', of(5)]);
    const handed = await fast.handOver(view);
    const { submitter, epoch: number } = epoch.view;
    // Not one event of the stream has arrived: what is told is all that Postgres gets.
    await bench.apply(
      ...(handed?.facts ?? []).map((fact) => ({
        ...fact,
        grant: { ...fact.grant, submitter, epoch: number },
      })),
    );
    expect(handed?.next).toBe(8);
    await toPostgres(epoch, 8);
    const stages = (await bench.rows(submitter)).map(({ stage }) => stage);
    expect(stages.slice(0, 8)).toEqual([
      ...['GRANTED', 'BROADCAST', 'ASSERTED', 'REUSABLE', 'QUARANTINED', 'GRANTED'],
      ...['GRANTED', 'GRANTED'],
    ]);
    const ids = Array.from({ length: 10 }, () => v7());
    const [answer] = await bench.fixture.store.allocate(batchOf([rowOf(submitter, { ids })]));
    expect(noncesOf(answer)).toEqual([3, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    const own = { ...of(5), submitter, epoch: number };
    await say('intent', own);
    expect((await bench.rows(submitter))[5]).toMatchObject({ id: own.id, stage: 'INTENT' });
  });
});
