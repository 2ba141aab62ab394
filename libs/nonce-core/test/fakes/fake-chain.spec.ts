import { FakeChain, FakeClock } from '../../src/testing';

const FROM = `0x${'a1'.repeat(20)}` as const;

function chainWith(count: number): { chain: FakeChain; hashes: `0x${string}`[] } {
  const chain = new FakeChain();
  const hashes = Array.from(
    { length: count },
    (_, nonce) => chain.sign({ from: FROM, nonce, payload: `pay ${nonce}`, feePerGas: 100 }).txHash,
  );
  return { chain, hashes };
}

function bytes(chain: FakeChain, nonce: number, terms: { fee?: number; payload?: string } = {}) {
  const { fee: feePerGas = 100, payload = `pay ${nonce}` } = terms;
  return chain.sign({ from: FROM, nonce, payload, feePerGas }).rawTx;
}

describe('the fake chain', () => {
  it('mines what is executable in nonce order and keeps what waits for a gap', async () => {
    const { chain, hashes } = chainWith(3);
    for (const nonce of [2, 0]) await chain.send(bytes(chain, nonce));
    expect(await chain.transactionCount(FROM, 'pending')).toBe(1);
    chain.mine();
    expect(await chain.transactionCount(FROM, 'latest')).toBe(1);
    expect(await chain.transaction(hashes[2] as `0x${string}`)).toBe('pooled');
    await chain.send(bytes(chain, 1));
    chain.mine();
    expect(await chain.transactionCount(FROM, 'latest')).toBe(3);
    expect((await chain.receipts(hashes)).size).toBe(3);
  });

  it('answers sends the way nodes do', async () => {
    const { chain } = chainWith(0);
    const outcome = async (nonce: number, terms: { fee?: number; payload?: string } = {}) =>
      (await chain.send(bytes(chain, nonce, terms))).outcome;
    expect(await outcome(0)).toBe('accepted');
    expect(await outcome(0)).toBe('already-known');
    expect(await outcome(0, { fee: 105, payload: 'other' })).toBe('replacement-underpriced');
    expect(await outcome(0, { fee: 110, payload: 'other' })).toBe('accepted');
    chain.mine();
    expect(await outcome(0)).toBe('nonce-too-low');
    expect(chain.executions('other')).toBe(1);
    expect(chain.executions('pay 0')).toBe(0);
  });

  it('limits the pool of one account where told to, as for delegated accounts', async () => {
    const chain = new FakeChain({ poolLimit: 1 });
    expect((await chain.send(bytes(chain, 0))).outcome).toBe('accepted');
    expect((await chain.send(bytes(chain, 1))).outcome).toBe('in-flight-limit');
  });

  it('loses replies and requests alike, and tells neither from the other', async () => {
    const { chain, hashes } = chainWith(2);
    chain.failNextSend('reply-lost');
    const reached = await chain.send(bytes(chain, 0));
    chain.failNextSend('not-reached');
    const missed = await chain.send(bytes(chain, 1));
    expect([reached.outcome, missed.outcome]).toEqual(['unknown', 'unknown']);
    expect(await chain.transaction(hashes[0] as `0x${string}`)).toBe('pooled');
    expect(await chain.transaction(hashes[1] as `0x${string}`)).toBe('absent');
  });

  it('undoes blocks: the same bytes can be mined again, in a block with another hash', async () => {
    const { chain, hashes } = chainWith(1);
    await chain.send(bytes(chain, 0));
    chain.mine(2);
    const before = await chain.block(1);
    chain.reorg(2);
    expect(await chain.transactionCount(FROM, 'latest')).toBe(0);
    expect((await chain.receipts(hashes)).get(hashes[0] as `0x${string}`)?.kind).toBe('absent');
    chain.mine();
    expect(await chain.transactionCount(FROM, 'latest')).toBe(1);
    expect((await chain.block(1))?.hash).not.toBe(before?.hash);
    chain.reorg(1, { reinject: false });
    chain.mine();
    expect(chain.executions('pay 0')).toBe(0);
  });

  it('drops transactions, lags, and goes away', async () => {
    const { chain, hashes } = chainWith(1);
    await chain.send(bytes(chain, 0));
    chain.drop(hashes[0] as `0x${string}`);
    chain.mine();
    expect(await chain.transactionCount(FROM, 'latest')).toBe(0);
    await chain.send(bytes(chain, 0));
    chain.mine();
    chain.lag(1);
    expect(await chain.transactionCount(FROM, 'latest')).toBe(0);
    chain.lag(0);
    expect(await chain.transactionCount(FROM, 'finalized')).toBe(0);
    chain.mine(2);
    expect(await chain.transactionCount(FROM, 'finalized')).toBe(1);
    chain.setAway(true);
    await expect(chain.transactionCount(FROM, 'latest')).rejects.toMatchObject({
      code: 'NONCE_CHAIN_UNREACHABLE',
    });
    expect(await chain.transaction(hashes[0] as `0x${string}`)).toBe('unavailable');
  });
});

describe('the fake clock', () => {
  it('wakes sleepers in the order of their times, also those who sleep again', async () => {
    const clock = new FakeClock(1_000);
    const woken: string[] = [];
    const late = clock.sleep(300).then(() => woken.push(`late at ${clock.nowMs()}`));
    const twice = (async () => {
      await clock.sleep(100);
      woken.push(`first at ${clock.nowMs()}`);
      await clock.sleep(100);
      woken.push(`second at ${clock.nowMs()}`);
    })();
    await clock.advance(500);
    await Promise.all([late, twice]);
    expect(woken).toEqual(['first at 1100', 'second at 1200', 'late at 1300']);
    expect([clock.nowMs(), clock.monotonicMs(), clock.sleeping]).toEqual([1_500, 500, 0]);
  });

  it('ends a sleep at once when its signal aborts', async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const sleep = clock.sleep(1_000, abort.signal);
    abort.abort();
    await sleep;
    expect(clock.sleeping).toBe(0);
  });
});
