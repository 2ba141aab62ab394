import { judge } from './judge';
import { WorldHost } from './world-host';

describe('worlds whose pools take only so much', () => {
  let host: WorldHost;

  beforeAll(async () => {
    host = await WorldHost.open();
  });

  afterAll(() => host.close());

  it.each([
    [64, 67],
    [16, 30],
    [1, 6],
  ])(
    'I-44, I-45, L1, L2, L4: a pool that takes %i nonces of an account executes %i operations once each',
    async (depth, operations) => {
      const world = await host.world({ depth });
      await world.payMany(operations);
      expect(world.chain.pool.all.length).toBeLessThanOrEqual(depth);
      expect(await judge(world)).toEqual({ broken: [], executed: operations });
    },
  );

  it('I-44, L3: a window of one has one nonce out, and the refused operations follow', async () => {
    const world = await host.world({ depth: 1, profile: { maxInFlight: 1 } });
    await world.payMany(4);
    expect(world.payer.grants).toHaveLength(1);
    expect(await judge(world)).toEqual({ broken: [], executed: 4 });
  });

  it('I-45, S4, L1: a chain that refuses gaps executes what was behind a lost transaction once', async () => {
    const world = await host.world({ refusesGaps: true, profile: { strictNonce: true } });
    world.provider.fates.push('not-reached');
    await world.payMany(8);
    expect(world.chain.pool.all).toHaveLength(0);
    await world.round();
    expect(await judge(world)).toEqual({ broken: [], executed: 8 });
  });

  it('I-45, L7: a strict chain that forgets its pool gets everything again, lowest nonce first', async () => {
    const world = await host.world({ refusesGaps: true, profile: { strictNonce: true } });
    await world.payMany(6);
    world.chain.mine();
    await world.payMany(6);
    world.chain.drop();
    await world.round();
    expect(await judge(world)).toEqual({ broken: [], executed: 12 });
  });
});
