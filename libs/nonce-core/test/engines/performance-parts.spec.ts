import type { Hex } from '../../src/domain/brand';
import type { Epoch } from '../../src/domain/epoch';
import type { Nonce } from '../../src/domain/nonce';
import { BumpPace } from '../../src/engines/performance/bump-pace';
import { CommandOrder } from '../../src/engines/performance/command-order';
import { EntranceQueue, Entry } from '../../src/engines/performance/entrance-queue';
import { GrantCache } from '../../src/engines/performance/grant-cache';
import { nextPrefetchSize } from '../../src/engines/performance/prefetch-size';
import { newlyGranted, toAllocation } from '../../src/engines/performance/to-allocation';
import { ViewCache } from '../../src/engines/performance/view-cache';
import type { FastEpoch } from '../../src/ports/fast-epoch-store.port';
import type { FastGrant } from '../../src/ports/fast-store.port';
import { FakeClock } from '../../src/testing/fake-clock';
import { newSubmitter, tokens } from '../support/store-fixture';

const SUBMITTER = newSubmitter();

function epochOf(epoch: number, ceiling: number, submitter = SUBMITTER): FastEpoch {
  const limits = { floor: 0, windowEnd: null, maxReserved: 0, reservedElsewhere: 0, paused: false };
  return {
    view: { submitter, epoch: epoch as Epoch, incarnation: 'one' },
    won: true,
    base: 0,
    ceiling,
    limits,
    free: [],
    moreFree: false,
    loan: 0,
    loanSeen: 0,
  };
}

function grantOf(nonce: number, overrides: Partial<FastGrant> = {}): FastGrant {
  return {
    id: tokens(1)[0] ?? '',
    submitter: SUBMITTER,
    nonce: nonce as Nonce,
    epoch: 2 as Epoch,
    generation: 2,
    source: 'fresh',
    exposure: 'declared',
    operationId: null,
    metadata: null,
    grantedAtMs: 1_000,
    deadlineMs: 61_000,
    ...overrides,
  };
}

describe('the size of the next prefetch', () => {
  const limits = { size: 32, max: 1_024 };

  it('starts at the configured size', () => {
    expect(nextPrefetchSize(null, limits)).toBe(32);
  });

  it('doubles while a batch lasts less than a second, up to the maximum', () => {
    expect(nextPrefetchSize({ size: 32, lastedMs: 999 }, limits)).toBe(64);
    expect(nextPrefetchSize({ size: 800, lastedMs: 1 }, limits)).toBe(1_024);
  });

  it('halves when a batch lasted more than ten seconds, down to the configured size', () => {
    expect(nextPrefetchSize({ size: 256, lastedMs: 10_001 }, limits)).toBe(128);
    expect(nextPrefetchSize({ size: 33, lastedMs: 60_000 }, limits)).toBe(32);
  });

  it('stays in between, and within limits that were changed meanwhile', () => {
    expect(nextPrefetchSize({ size: 128, lastedMs: 5_000 }, limits)).toBe(128);
    expect(nextPrefetchSize({ size: 128, lastedMs: 5_000 }, { size: 8, max: 64 })).toBe(64);
  });
});

describe('what a node believes about epochs', () => {
  it('wants a witness for a new epoch and for a raised ceiling, and for nothing else', () => {
    const views = new ViewCache(10);
    expect(views.raises(epochOf(2, 32))).toBe(true);
    views.learn(epochOf(2, 32), 0);
    expect(views.raises(epochOf(2, 32))).toBe(false);
    expect(views.raises(epochOf(2, 33))).toBe(true);
    expect(views.raises(epochOf(3, 32))).toBe(true);
  });

  it('forgets an epoch that was found unusable, and remembers not to join it again', () => {
    const views = new ViewCache(10);
    views.learn(epochOf(2, 32), 0);
    views.burn(epochOf(2, 32).view);
    expect(views.get(SUBMITTER)).toBeUndefined();
    expect(views.badOf(SUBMITTER)?.epoch).toBe(2);
    views.learn(epochOf(3, 64), 0);
    expect(views.badOf(SUBMITTER)).toBeNull();
  });

  it('keeps a later epoch when an earlier one is found unusable', () => {
    const views = new ViewCache(10);
    views.learn(epochOf(3, 64), 0);
    views.burn(epochOf(2, 32).view);
    expect(views.get(SUBMITTER)?.epoch).toBe(3);
  });

  it('holds so many submitters and no more', () => {
    const views = new ViewCache(2);
    const submitters = [newSubmitter(), newSubmitter(), newSubmitter()];
    for (const submitter of submitters) views.learn(epochOf(2, 32, submitter), 0);
    expect(submitters.map((each) => views.get(each) !== undefined)).toEqual([false, true, true]);
    // One that is learnt anew counts as the latest.
    const [, second = SUBMITTER, third = SUBMITTER] = submitters;
    views.learn(epochOf(3, 64, second), 0);
    views.learn(epochOf(2, 32), 0);
    expect([second, third, SUBMITTER].map((each) => views.get(each)?.epoch)).toEqual([
      3,
      undefined,
      2,
    ]);
  });

  it('tells which epochs nobody was granted anything of', () => {
    const views = new ViewCache(2);
    views.learn(epochOf(2, 32), 100);
    expect(views.unusedSince(100)).toEqual([]);
    expect(views.unusedSince(101)).toHaveLength(1);
    views.use(SUBMITTER, 200);
    expect(views.unusedSince(101)).toEqual([]);
  });
});

describe('the grants a node remembers', () => {
  it('are live until their deadline, and known after it', () => {
    const grants = new GrantCache(10);
    const grant = grantOf(5);
    grants.add(grant, 1_000);
    expect(grants.live(grant.id, 999)).toBe(grant);
    expect(grants.live(grant.id, 1_000)).toBeUndefined();
    expect(grants.find(grant.id)).toBe(grant);
  });

  it('S10: lose a holder when its nonce is granted again', () => {
    const grants = new GrantCache(10);
    const [first, second] = [grantOf(5), grantOf(5)];
    grants.add(first, 1_000);
    grants.add(second, 1_000);
    expect(grants.live(first.id, 0)).toBeUndefined();
    grants.forget(first.id);
    expect(grants.live(second.id, 0)).toBe(second);
  });

  it('are so many and no more', () => {
    const grants = new GrantCache(2);
    const all = [grantOf(1), grantOf(2), grantOf(3)];
    for (const grant of all) grants.add(grant, 1_000);
    expect(all.map(({ id }) => grants.find(id)?.nonce)).toEqual([undefined, 2, 3]);
  });

  it('are the latest ones, whatever was forgotten or granted again in between', () => {
    const grants = new GrantCache(3);
    const all = [1, 2, 3, 4, 2, 5, 6, 7].map((nonce) => grantOf(nonce));
    all.forEach((grant, i) => {
      grants.add(grant, 1_000);
      if (i === 2) for (const each of all.slice(0, 3)) grants.forget(each.id);
    });
    expect(all.map(({ id }) => grants.find(id)?.nonce)).toEqual([
      ...Array.from({ length: 5 }, () => undefined),
      ...[5, 6, 7],
    ]);
  });
});

describe('submitters that wait for an epoch', () => {
  it('H-16: go in groups, those with the most callers first', () => {
    const queue = new EntranceQueue();
    const entries = [3, 1, 9, 5].map((callers) => {
      const entry = new Entry(newSubmitter(), undefined);
      entry.callers = callers;
      queue.add(entry);
      return entry;
    });
    (entries[1] as Entry).callers = 7;
    expect(queue.take(3).map(({ callers }) => callers)).toEqual([9, 7, 5]);
    expect(queue.take(3).map(({ callers }) => callers)).toEqual([3]);
    expect(queue.isEmpty).toBe(true);
  });
});

describe('H-16: epochs that are replaced, by a limit of 100 a second', () => {
  it('go at once as far as a second allows, and evenly from then on', async () => {
    const clock = new FakeClock();
    const pace = new BumpPace(clock, 100);
    expect([60, 40].map((bumps) => pace.spend(bumps))).toEqual([0, 0]);
    for (let round = 0; round < 3; round += 1) {
      expect(pace.spend(20)).toBe(200);
      await clock.advance(200);
    }
    expect(pace.spend(1)).toBe(10);
  });

  it('save up a second’s worth at most, and first uses cost nothing', async () => {
    const clock = new FakeClock();
    const pace = new BumpPace(clock, 100);
    await clock.advance(60_000);
    expect([100, 0, 5, 0].map((bumps) => pace.spend(bumps))).toEqual([0, 0, 50, 50]);
    await clock.advance(50);
    expect(pace.spend(0)).toBe(0);
  });
});

describe('commands about one allocation', () => {
  it('run one after the other, also when one is refused', async () => {
    const order = new CommandOrder();
    const said: string[] = [];
    const slow = order.run('a', async () => {
      await new Promise((resolve) => setImmediate(resolve));
      said.push('first');
      throw new Error('refused');
    });
    const next = order.run('a', async () => said.push('second'));
    const other = order.run('b', async () => said.push('other'));
    await expect(slow).rejects.toThrow('refused');
    await Promise.all([next, other]);
    expect(said).toEqual(['other', 'first', 'second']);
  });
});

describe('an allocation made of what the fast store tells', () => {
  it('is granted with its deadline', () => {
    const allocation = newlyGranted(grantOf(5));
    expect(allocation).toMatchObject({
      nonce: 5,
      stage: 'GRANTED',
      status: 'RESERVED',
      engine: 'performance',
      epoch: 2,
      txHash: null,
      hashes: [],
    });
    expect(allocation.deadline).toEqual(new Date(61_000));
    expect(allocation.createdAt).toEqual(new Date(1_000));
  });

  it('has no deadline once it left its holder, and shows the last hash', () => {
    const hashes: readonly Hex[] = ['0x01', '0x02'];
    const settled = { grant: grantOf(5), stage: 'BROADCAST', hashes, note: 'x', atMs: 7 } as const;
    expect(toAllocation(settled)).toMatchObject({
      stage: 'BROADCAST',
      txHash: '0x02',
      hashes,
      note: 'x',
      deadline: null,
      updatedAt: new Date(7),
    });
  });
});
