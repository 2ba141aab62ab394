import { INTENT_POLICIES } from '../../src/ports/fast-epoch-store.port';
import { LUA } from '../../src/redis/generated/lua';
import { without } from '../redis/fast-fixture';
import { PairWorld, TAIL } from './pair-world';

let started: PairWorld;

afterEach(() => started.stop());

describe.each(INTENT_POLICIES)('I-32: a lagging replica takes over, %s intents', (intents) => {
  it('S8, S9: and issues nothing again that was issued before; nor does the old primary that fails back', async () => {
    started = await PairWorld.start(intents);
    const { pair, world } = started;
    const before = await world.epochs();
    await pair.promote();
    started.lead(pair.second);
    await started.served(TAIL);
    expect(await started.moved(before)).toBe(true);

    // The same run in the same place as before, with the other one's state.
    const between = await world.epochs();
    await pair.failBack();
    started.lead(pair.first);
    await started.served(TAIL);
    expect(await started.moved(between)).toBe(true);
    expect(world.otherRefusals).toEqual([]);
    expect(await world.violations(started.connect)).toEqual([]);
  });
});

it('I-32: without the check of the incarnation the same history shows two owners of a nonce', async () => {
  started = await PairWorld.start('relaxed', {
    allocate: without('incarnation', LUA.fastAllocate),
    settle: without('incarnation', LUA.fastSettle),
  });
  await started.pair.promote();
  started.lead(started.pair.second);
  await started.served(TAIL);
  const violations = await started.world.violations(started.connect);
  expect(violations).toContainEqual(expect.stringMatching(/^S1: /));
});
