import { judge, judgeVerdicts } from './judge';
import { WorldHost } from './world-host';

/** The judge of the worlds is only worth something if it finds what is wrong. */
describe('the judge of the worlds', () => {
  let host: WorldHost;

  beforeAll(async () => {
    host = await WorldHost.open();
  });

  afterAll(() => host.close());

  it('S4, S12: finds an operation that was paid a second time behind the library', async () => {
    const world = await host.world();
    const { wei } = await world.pay();
    await world.chain.submit(await world.payer.sign(1, wei));
    const { broken } = await judge(world);
    expect(broken).toContain('S4: payment-1 was executed 2 times');
    expect(broken).toContain('S5: payment-1 is FINAL, executed 2 times');
  });

  it('S3: finds a nonce that was granted clean to two after its bytes were out', async () => {
    const world = await host.world();
    await world.pay();
    const [grant] = world.payer.grants;
    if (grant === undefined) throw new Error('nothing was granted');
    const operation = world.payer.operation();
    world.payer.grants.push({ ...grant, operation, allocationId: 'another' });
    const { broken } = await judge(world);
    expect(broken).toContain('S3: nonce 0 of payment-1 granted to payment-2 (another)');
  });

  it('S5, S6: finds a verdict that the chain does not bear out', async () => {
    const world = await host.world();
    await world.pay();
    const [grant] = world.payer.grants;
    if (grant === undefined) throw new Error('nothing was granted');
    await judge(world);
    const { verdicts } = world.jobs;
    const { allocationId } = grant;
    const lie = `0x${'ee'.repeat(32)}` as const;
    verdicts.set(allocationId, { allocationId, stage: 'FINAL', txHash: lie });
    verdicts.set('lie', { allocationId, stage: 'CONSUMED_EXTERNAL', txHash: null });
    const broken = judgeVerdicts(world, world.payer);
    expect(broken).toContain(`S6: FINAL by ${lie} not on the chain`);
    expect(broken).toContain('S5: payment-1 is CONSUMED_EXTERNAL and was executed');
  });

  it('L1: refuses to end a world with a nonce that comes to no end', async () => {
    const world = await host.world();
    await world.pay();
    world.chain.drop();
    world.provider.node.says('eth_sendRawTransaction', {
      error: { code: -32_000, message: 'transaction underpriced' },
    });
    await expect(judge(world)).rejects.toThrow(/never settled: .*"nonce":0/);
  });
});
