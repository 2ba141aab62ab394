import type { ChainWorld } from './chain-world';
import { judge } from './judge';
import { WorldHost } from './world-host';

const GWEI = 10n ** 9n;
const ROUNDS_MAX = 60;

/** Rounds and blocks until so many transactions of the payer are on the chain. */
async function untilMined(world: ChainWorld, count: number): Promise<number> {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    if (world.chain.accountAt(world.payer.address).count >= count) return round;
    await world.round();
    world.chain.mine();
  }
  throw new Error(`not mined: ${JSON.stringify(await world.jobs.openRows())}`);
}

describe('worlds whose fees rise above what was bid', () => {
  let host: WorldHost;

  beforeAll(async () => {
    host = await WorldHost.open();
  });

  afterAll(() => host.close());

  it('S4, S6, L14: higher bids for the same work follow the market, and each payment executes once', async () => {
    const world = await host.world({ bumps: true });
    await world.payMany(3);
    world.chain.baseFee = 100n * GWEI;
    await untilMined(world, 3);
    const sent = new Set(world.payer.grants.map((grant) => grant.sent));
    const mined = world.chain.executed.filter(({ from }) => from === world.payer.address);
    expect(mined.filter(({ hash }) => sent.has(hash))).toEqual([]);
    expect(await judge(world)).toEqual({ broken: [], executed: 3 });
  });

  it('S4, S6: a bid that a reorg brings back, or the one before it, executes once', async () => {
    const world = await host.world({ bumps: true });
    await world.payMany(2);
    world.chain.baseFee = 100n * GWEI;
    await untilMined(world, 2);
    world.chain.reorg(1, { reinject: false });
    expect(await judge(world)).toEqual({ broken: [], executed: 2 });
  });

  it('L4: without a signer they wait for the market, and execute when it falls', async () => {
    const world = await host.world();
    await world.payMany(2);
    world.chain.baseFee = 100n * GWEI;
    await expect(untilMined(world, 1)).rejects.toThrow('not mined');
    expect(await judge(world)).toEqual({ broken: [], executed: 2 });
  });
});
