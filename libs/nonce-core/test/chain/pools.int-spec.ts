import { judge } from './judge';
import { WorldHost } from './world-host';
import { RECIPIENT } from './world-payer';

const GWEI = 10n ** 9n;
const ETHER = 10n ** 18n;

describe('worlds whose pools and wallets do what they like', () => {
  let host: WorldHost;

  beforeAll(async () => {
    host = await WorldHost.open();
  });

  afterAll(() => host.close());

  it('I-16, L7, S4, L1: all that the pool forgot is sent again, byte for byte, and executed once', async () => {
    const world = await host.world();
    await world.payMany(12);
    const before = world.chain.seen.map((tx) => tx.rawTx);
    world.chain.drop();
    for (let i = 0; i < 3; i += 1) await world.round();
    expect(new Set(world.chain.seen.map((tx) => tx.rawTx))).toEqual(new Set(before));
    expect(await judge(world)).toEqual({ broken: [], executed: 12 });
  });

  it('L7: what is forgotten again and again is sent again and again', async () => {
    const world = await host.world();
    await world.payMany(3);
    for (let i = 0; i < 5; i += 1) {
      world.chain.drop();
      await world.round();
    }
    expect(world.chain.pool.all).toHaveLength(3);
    expect(await judge(world)).toEqual({ broken: [], executed: 3 });
  });

  it('S5, S6, L9: a foreign wallet that outbids us is named at finality, and nobody is paid twice', async () => {
    const world = await host.world();
    await world.payMany(3);
    expect(await world.payElsewhere(1)).toBe(true);
    world.chain.mine();
    await world.round();
    await world.pay();
    expect(await judge(world)).toEqual({ broken: [], executed: 3 });
    expect(await world.jobs.stages(world.payer)).toEqual([
      'FINAL',
      'CONSUMED_EXTERNAL',
      'FINAL',
      'FINAL',
    ]);
  });

  it('S7, L9: nonces that a foreign wallet used are jumped over', async () => {
    const world = await host.world();
    await world.pay();
    for (const nonce of [1, 2, 3]) await world.payElsewhere(nonce);
    world.chain.mine();
    await world.round();
    await world.payMany(2);
    expect(await judge(world)).toEqual({ broken: [], executed: 3 });
    expect(world.payer.grants.map(({ nonce }) => nonce)).toEqual([0, 4, 5]);
  });

  it('I-44, S7, L9: an authorisation that uses our next nonce is jumped over', async () => {
    const world = await host.world({ payers: 2 });
    const [authority, relayer] = world.payers;
    if (authority === undefined || relayer === undefined) throw new Error('two payers');
    await world.pay(authority);
    world.chain.mine();
    const { chainId } = world.chain;
    const { account } = authority;
    const authorization = await account.signAuthorization({
      chainId,
      address: RECIPIENT,
      nonce: 1,
    });
    const relayed = await relayer.account.signTransaction({
      type: 'eip7702',
      chainId,
      nonce: 0,
      to: authority.address,
      value: 0n,
      gas: 100_000n,
      maxFeePerGas: 20n * GWEI,
      maxPriorityFeePerGas: GWEI,
      authorizationList: [authorization],
    });
    await world.chain.submit(relayed);
    world.chain.mine();
    await world.round();
    await world.pay(authority);
    expect(authority.grants.map(({ nonce }) => nonce)).toEqual([0, 2]);
    expect(await judge(world)).toEqual({ broken: [], executed: 2 });
  });

  it('L1, S4: what a spike of the base fee priced out waits for the end of the spike', async () => {
    const world = await host.world();
    await world.payMany(3);
    world.chain.baseFee = 500n * GWEI;
    await world.payMany(2);
    for (let i = 0; i < 4; i += 1) {
      world.chain.mine();
      await world.round();
    }
    world.chain.drop();
    await world.round();
    expect(world.chain.executed).toHaveLength(0);
    expect(await judge(world)).toEqual({ broken: [], executed: 5 });
  });

  it('I-10, S5: what an empty account could not pay is never called failed, and paid once after a top-up', async () => {
    const world = await host.world({ balance: 0n });
    await world.payMany(3);
    for (let day = 0; day < 6; day += 1) {
      world.chain.mine();
      await world.round();
    }
    expect(world.payer.operations.map(({ told }) => told)).not.toContain('NONCE_OPERATION_FAILED');
    expect(world.jobs.verdicts.size).toBe(0);
    world.chain.topUp(world.payer.address, ETHER);
    expect(await judge(world)).toEqual({ broken: [], executed: 3 });
  });

  it('L1: an account that runs dry between two of its transactions goes on where it stopped', async () => {
    // Enough for one transfer at 2 gwei, and for the pool's worst case of one at 20.
    const world = await host.world({ balance: 21_000n * 20n * GWEI + 1_000n });
    await world.payMany(8);
    for (let i = 0; i < 4; i += 1) {
      world.chain.mine();
      await world.round();
    }
    expect(world.chain.executed.length).toBeLessThan(8);
    world.chain.topUp(world.payer.address, ETHER);
    expect(await judge(world)).toEqual({ broken: [], executed: 8 });
  });
});
