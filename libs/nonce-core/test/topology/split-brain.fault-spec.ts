import { INTENT_POLICIES } from '../../src/ports/fast-epoch-store.port';
import { PairWorld, TAIL } from './pair-world';

/** Answers that may be on their way to a node whose line is led elsewhere. */
const ON_THEIR_WAY = 20;

let started: PairWorld;

afterEach(() => started.stop());

describe.each(INTENT_POLICIES)('I-32: two primaries at the same time, %s intents', (intents) => {
  it('S9: nodes on both sides never issue in the same epoch, and nothing is repeated on either', async () => {
    started = await PairWorld.start(intents);
    const { pair, world, lines } = started;
    await pair.promote();
    lines[0]?.lead(pair.second.port);
    await started.served(ON_THEIR_WAY);
    const since = world.nodes.map((node) => node.grants);
    await started.served(TAIL);
    const [moved, stayed] = world.nodes.map((node, i) => node.epochsAfter(since[i] ?? 0));
    expect([...(moved ?? [])].filter((each) => stayed?.has(each))).toEqual([]);
    started.lead(pair.second);
    await started.served(TAIL);
    expect(world.otherRefusals).toEqual([]);
    expect(await world.violations(started.connect)).toEqual([]);
  });

  it('S8, S9: an old primary that nobody deposed serves a new epoch when its nodes come back to it', async () => {
    started = await PairWorld.start(intents);
    const { pair, world } = started;
    await pair.promote();
    started.lead(pair.second);
    await started.served(TAIL);
    // The same run, the same replication id, and the state of the time before.
    const before = await world.epochs();
    started.lead(pair.first);
    await started.served(TAIL);
    expect(await started.moved(before)).toBe(true);
    expect(world.otherRefusals).toEqual([]);
    expect(await world.violations(started.connect)).toEqual([]);
  });
});
