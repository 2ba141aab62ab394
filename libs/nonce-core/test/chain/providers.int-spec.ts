import { CLIENTS } from '../../../chain-adapter/test/support/client-words';
import { judge } from './judge';
import { WorldHost } from './world-host';

describe('worlds whose providers lie or speak differently', () => {
  let host: WorldHost;

  beforeAll(async () => {
    host = await WorldHost.open();
  });

  afterAll(() => host.close());

  it.each(CLIENTS)(
    'I-05, I-06, I-09, S4, S5: in the words of %s, lost replies and used nonces pay nobody twice',
    async (client) => {
      const world = await host.world();
      world.provider.client = client;
      world.provider.fates.push('reply-lost');
      await world.pay(); // in the pool; its second sending is "already known"
      world.provider.fates.push('reply-lost');
      await world.pay();
      world.provider.fates.push('not-reached');
      await world.pay();
      world.chain.mine(); // the third is still out; a second sending of the first is "too low"
      world.provider.fates.push('rate-limited');
      await world.pay();
      for (let i = 0; i < 3; i += 1) {
        await world.round();
        world.provider.client = client;
      }
      expect(await judge(world)).toEqual({ broken: [], executed: 4 });
      expect(await world.jobs.stages(world.payer)).toEqual(['FINAL', 'FINAL', 'FINAL', 'FINAL']);
    },
  );

  it('I-06: "already known" makes an intent a broadcast, which no time gives back', async () => {
    const world = await host.world();
    world.provider.fates.push('reply-lost');
    await world.pay();
    expect(await world.jobs.stages(world.payer)).toEqual(['INTENT']);
    await world.round();
    expect(await world.jobs.stages(world.payer)).toEqual(['BROADCAST']);
    for (let i = 0; i < 20; i += 1) await world.round();
    expect(await world.jobs.stages(world.payer)).toEqual(['BROADCAST']);
    await world.pay();
    expect(world.payer.grants.map(({ nonce }) => nonce)).toEqual([0, 1]);
    expect(await judge(world)).toEqual({ broken: [], executed: 2 });
  });

  it('I-05: "nonce too low" while the receipt is not visible yet binds the work to no other nonce', async () => {
    const world = await host.world();
    world.provider.fates.push('reply-lost');
    const operation = await world.pay();
    world.chain.mine();
    world.provider.lagBlocks = 1;
    for (let i = 0; i < 3; i += 1) {
      await world.round();
      await world.pay(world.payer, operation); // an impatient caller
    }
    expect(world.payer.grants).toHaveLength(1);
    expect(world.jobs.verdicts.size).toBe(0);
    expect(await judge(world)).toEqual({ broken: [], executed: 1 });
  });

  it('I-09, S6: a nonce that a stranger used is no success of ours', async () => {
    const world = await host.world();
    world.provider.client = 'reth';
    world.provider.fates.push('not-reached');
    await world.pay();
    await world.payElsewhere(0);
    world.chain.mine();
    for (let i = 0; i < 3; i += 1) await world.round();
    expect(await world.jobs.stages(world.payer)).toEqual(['INTENT']);
    expect(await judge(world)).toEqual({ broken: [], executed: 0 });
    expect(await world.jobs.stages(world.payer)).toEqual(['CONSUMED_EXTERNAL']);
  });

  const LIES = [
    ['lags by 3 blocks', { lagBlocks: 3, countsAhead: 0 }],
    ['lags by 30 blocks', { lagBlocks: 30, countsAhead: 0 }],
    ['counts 5 ahead', { lagBlocks: 0, countsAhead: 5 }],
  ] as const;

  it.each(LIES)('I-41, S5, S7, S15, L1: one of three providers %s', async (_, lie) => {
    const world = await host.world({ providers: 3 });
    Object.assign(world.provider, lie);
    for (let i = 0; i < 6; i += 1) {
      await world.pay();
      world.chain.mine(i % 3);
      await world.round();
    }
    expect(world.payer.grants.map(({ nonce }) => nonce)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(world.jobs.events).not.toContain('tx.reorged');
    expect(world.jobs.events).not.toContain('anomaly');
    expect(await judge(world)).toEqual({ broken: [], executed: 6 });
  });

  it('I-09, L12: a provider that says "nonce too low" for ever is asked on, and serves everybody else', async () => {
    const world = await host.world({ payers: 2 });
    const [jammed, other] = world.payers;
    if (jammed === undefined || other === undefined) throw new Error('two payers');
    world.provider.client = 'reth';
    world.provider.fates.push('not-reached');
    await world.pay(jammed);
    await world.payElsewhere(0, 40n, jammed);
    world.chain.mine();
    const asked = world.provider.node.count('eth_chainId');
    for (let i = 0; i < 5; i += 1) {
      await world.round();
      await world.pay(other);
      world.chain.mine();
    }
    expect(other.operations.every(({ told }) => told === 'sent')).toBe(true);
    // Identity is proven again only after failures: once after the lost connection, by each pool.
    expect(world.provider.node.count('eth_chainId') - asked).toBeLessThanOrEqual(2);
    expect(await judge(world)).toEqual({ broken: [], executed: 5 });
  });
});
