import { judge } from './judge';
import { WorldHost } from './world-host';

describe('worlds whose hosts die with signed bytes in their hands', () => {
  let host: WorldHost;

  beforeAll(async () => {
    host = await WorldHost.open();
  });

  afterAll(() => host.close());

  it('S5, S16, L1, L10: the nonce of lost bytes is closed by a burn, and what is behind it executes', async () => {
    const world = await host.world({ burns: true });
    await world.dieBeforeSending();
    await world.payMany(2);
    expect(await judge(world)).toEqual({ broken: [], executed: 2 });
    expect(await world.jobs.stages(world.payer)).toEqual(['BURNT', 'FINAL', 'FINAL']);
  });

  it('S5, S6: bytes that leave late and outbid the burn are the ones that count', async () => {
    const world = await host.world({ burns: true });
    const rawTx = await world.dieBeforeSending();
    for (let i = 0; i < 4; i += 1) await world.round();
    expect(await world.jobs.stages(world.payer)).toEqual(['BURNING']);
    expect(typeof (await world.chain.submit(rawTx))).toBe('object');
    world.chain.mine();
    expect(await judge(world)).toEqual({ broken: [], executed: 1 });
    expect(await world.jobs.stages(world.payer)).toEqual(['FINAL']);
  });

  it('S3, S5: without a burn signer the nonce goes on as a replacement, and at most one of both mines', async () => {
    const world = await host.world();
    const rawTx = await world.dieBeforeSending();
    for (let i = 0; i < 4; i += 1) await world.round();
    await world.payMany(2);
    expect(world.payer.grants.map(({ nonce, source }) => [nonce, source])).toEqual([
      [0, 'fresh'],
      [0, 'replacement'],
      [1, 'fresh'],
    ]);
    expect(await world.chain.submit(rawTx)).toBe('replacement-underpriced');
    expect(await judge(world)).toEqual({ broken: [], executed: 2 });
  });
});
