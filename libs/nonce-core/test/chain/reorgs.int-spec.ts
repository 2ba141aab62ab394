import { judge } from './judge';
import { WorldHost } from './world-host';

describe('worlds whose blocks are undone', () => {
  let host: WorldHost;

  beforeAll(async () => {
    host = await WorldHost.open();
  });

  afterAll(() => host.close());

  const REORGS = Array.from({ length: 16 }, (_, index) => {
    const depth = index + 1;
    return [depth, depth % 2 === 0 ? 'given back' : 'forgotten'] as const;
  });

  it.each(REORGS)(
    'I-41, S4, S5, S6, L1: after a reorg of depth %i, transactions %s, all is executed once',
    async (depth, transactions) => {
      const world = await host.world();
      for (let block = 0; block < depth; block += 1) {
        if (block < 4) await world.pay();
        world.chain.mine();
        if (block % 5 === 0) await world.round();
      }
      await world.round();
      world.chain.reorg(depth, { reinject: transactions === 'given back' });
      await world.round();
      await world.pay();
      expect(await judge(world)).toEqual({ broken: [], executed: Math.min(depth, 4) + 1 });
      if (depth % 2 === 1) expect(world.jobs.events).toContain('tx.reorged');
    },
  );
});
