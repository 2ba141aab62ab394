import { TrackingBench } from '../tracking/tracking-bench';

let bench: TrackingBench;
beforeEach(async () => {
  bench = await TrackingBench.open();
});
afterEach(() => bench.close());

async function intent(options: { readonly storeBytes: boolean } = { storeBytes: true }) {
  const [allocation] = await bench.grant(1);
  if (allocation === undefined) throw new Error('nothing granted');
  const { rawTx, txHash } = bench.sign(allocation);
  await bench.tell(allocation, 'intent', options.storeBytes ? { rawTx, txHash } : { txHash });
  return { allocation, rawTx, txHash };
}

describe('K4: the holder died after its intent and before sending', () => {
  it('the same bytes are sent, mined once and followed to their end', async () => {
    const { txHash } = await intent();
    await bench.round();
    expect(await bench.stage(0)).toBe('BROADCAST');
    bench.chain.mine();
    await bench.round();
    expect(await bench.row(0)).toMatchObject({ stage: 'MINED', txHash });
    bench.chain.mine(2);
    await bench.round();
    await bench.round();
    expect(await bench.row(0)).toMatchObject({ stage: 'FINAL', proof: 'receipt', txHash });
    expect(bench.chain.executions('work 0')).toBe(1);
    expect(bench.events).toEqual(
      expect.arrayContaining(['tx.included', 'tx.confirmed', 'tx.final']),
    );
  });

  it('a hash without bytes that nobody knows goes to quarantine, never to other work', async () => {
    await intent({ storeBytes: false });
    await bench.round({ ms: 30_000, release: 'replacement' });
    expect(await bench.stage(0)).toBe('QUARANTINED');
    const [next] = await bench.grant(1);
    expect(next?.nonce).toBe(1);
  });
});

it('K5: sent without a reply, the same bytes are found known and followed', async () => {
  const { rawTx } = await intent();
  bench.chain.failNextSend('reply-lost');
  await bench.chain.send(rawTx);
  await bench.round();
  expect(await bench.stage(0)).toBe('BROADCAST');
  bench.chain.mine(3);
  await bench.round();
  await bench.round();
  expect(bench.chain.executions('work 0')).toBe(1);
});

it('K6: taken by a node and not recorded, it is found in the pool by its hash alone', async () => {
  const { rawTx } = await intent({ storeBytes: false });
  await bench.chain.send(rawTx);
  await bench.round();
  expect(await bench.stage(0)).toBe('BROADCAST');
});

it.each([true, false])(
  'K7: mined and not recorded, it is found by its own hash (bytes stored: %s)',
  async (storeBytes) => {
    const { rawTx, txHash } = await intent({ storeBytes });
    await bench.chain.send(rawTx);
    bench.chain.mine();
    await bench.alignment.alignWithChain(bench.submitter);
    await bench.round();
    expect(await bench.row(0)).toMatchObject({ stage: 'MINED', txHash });
    expect(bench.chain.executions('work 0')).toBe(1);
  },
);

it('L6: a declared holder that died before its intent gives its nonce back within a sweep', async () => {
  const [, second] = await bench.grant(2, { ttlMs: 1_000 });
  await bench.fixture.database.pool.query(
    `UPDATE submitter_nonce_allocation SET deadline = now() - interval '1 ms'`,
  );
  await bench.fixture.database.pool.query(
    `UPDATE submitter_nonce_state SET reclaim_at = now() - interval '1 ms'`,
  );
  await bench.round();
  expect([await bench.stage(0), await bench.stage(1)]).toEqual(['REUSABLE', 'REUSABLE']);
  expect(bench.events).toContain('allocation.expired');
  const again = await bench.grant(2);
  expect(again.map((allocation) => allocation.nonce)).toEqual([0, 1]);
  if (second === undefined) throw new Error('nothing granted');
  const late = { txHash: bench.sign(second).txHash };
  await expect(bench.tell(second, 'intent', late)).rejects.toThrow(/NONCE_FENCED/);
});

it('L7: a transaction that every pool forgot is sent again, byte for byte, until it is mined', async () => {
  const { txHash } = await intent();
  await bench.round();
  for (let attempt = 0; attempt < 3; attempt += 1) {
    bench.chain.drop(txHash);
    await bench.age(1_000);
    await bench.round();
    expect(await bench.chain.transaction(txHash)).toBe('pooled');
  }
  bench.chain.mine();
  await bench.round();
  expect(await bench.row(0)).toMatchObject({ stage: 'MINED', txHash });
});

describe('K8, H-13: a block with our transaction is replaced', () => {
  it('its stored bytes are sent again and mined once on the new branch', async () => {
    const { txHash } = await intent();
    await bench.round();
    bench.chain.mine(2);
    await bench.round();
    expect(await bench.stage(0)).toBe('MINED');
    await bench.alignment.alignWithChain(bench.submitter);
    bench.chain.reorg(2, { reinject: false });
    await bench.round();
    expect(await bench.stage(0)).toBe('MINED'); // a shorter chain is no proof
    bench.chain.mine(2);
    await bench.round();
    expect(await bench.stage(0)).toBe('BROADCAST');
    expect(bench.events).toContain('tx.reorged');
    await bench.age(1_000);
    await bench.round();
    bench.chain.mine();
    await bench.round();
    expect(await bench.row(0)).toMatchObject({ stage: 'MINED', txHash });
    expect(bench.chain.executions('work 0')).toBe(1);
  });

  it('H-13: USED goes back to RESERVED, is announced, and ends well with the same hash', async () => {
    await bench.close();
    bench = await TrackingBench.open({ finalityDepth: 1_000 });
    const { txHash } = await intent();
    await bench.round();
    bench.chain.mine(3);
    await bench.round();
    await bench.round();
    expect(await bench.row(0)).toMatchObject({ stage: 'CONFIRMED', status: 'USED' });
    bench.chain.reorg(3, { reinject: false });
    bench.chain.mine(4);
    await bench.round();
    expect(await bench.row(0)).toMatchObject({ stage: 'BROADCAST', status: 'RESERVED' });
    expect(bench.events).toContain('tx.reorged');
    await bench.age(1_000);
    await bench.round();
    bench.chain.mine(3);
    await bench.round();
    await bench.round();
    expect(await bench.row(0)).toMatchObject({ stage: 'CONFIRMED', txHash });
    expect(bench.chain.executions('work 0')).toBe(1);
  });

  it('S15: a provider that merely lags changes nothing', async () => {
    await intent();
    await bench.round();
    bench.chain.mine(3);
    await bench.round();
    const before = await bench.stage(0);
    bench.chain.lag(3);
    await bench.round();
    await bench.alignment.alignWithChain(bench.submitter);
    expect(await bench.stage(0)).toBe(before);
    expect(await bench.submitters.view(bench.submitter, 0)).toMatchObject({ nextLocalNonce: 1 });
  });
});

describe('a chain that does not answer', () => {
  it('decides nothing, for any stage, and is asked again later', async () => {
    await intent();
    await bench.round();
    await intent({ storeBytes: false });
    const [third] = await bench.grant(1);
    if (third !== undefined) await bench.tell(third, 'quarantine');
    const before = [await bench.stage(0), await bench.stage(1), await bench.stage(2)];
    bench.chain.setAway(true);
    await bench.round();
    expect([await bench.stage(0), await bench.stage(1), await bench.stage(2)]).toEqual(before);
    bench.chain.setAway(false);
    await bench.round();
    expect(await bench.stage(1)).toBe('QUARANTINED');
  });
});

describe('S6: the nonce was used by a transaction that is not ours', () => {
  it('its holder is told so at finality, not before, and its operation may go on', async () => {
    const { allocation, txHash } = await intent();
    await bench.round();
    bench.chain.drop(txHash);
    const foreign = { from: bench.address, nonce: allocation.nonce, payload: 'foreign' };
    await bench.chain.send(bench.chain.sign({ ...foreign, feePerGas: 99 }).rawTx);
    bench.chain.mine();
    await bench.alignment.alignWithChain(bench.submitter);
    await bench.age(1_000);
    await bench.round();
    expect(await bench.stage(0)).toBe('BROADCAST');
    bench.chain.mine(5);
    await bench.alignment.alignWithChain(bench.submitter);
    await bench.round();
    expect(bench.events).toContain('tx.stuck'); // told first, decided at a second look
    await bench.age(1_000);
    await bench.round();
    expect(await bench.row(0)).toMatchObject({ stage: 'CONSUMED_EXTERNAL', proof: 'count' });
    expect(bench.chain.executions('work 0')).toBe(0);
  });
});

it('H-21: of a replaced and a late transaction at one nonce, the one that mined is named', async () => {
  const { allocation, rawTx, txHash } = await intent({ storeBytes: false });
  await bench.round({ ms: 0, release: 'replacement' });
  expect(await bench.stage(0)).toBe('QUARANTINED');
  const [replacement] = await bench.grant(1);
  expect(replacement).toMatchObject({ nonce: 0, source: 'replacement' });
  expect(await bench.row(0)).toMatchObject({ stage: 'GRANTED', hashes: [txHash] });
  if (replacement === undefined) throw new Error('nothing granted');
  const other = bench.chain.sign({
    from: bench.address,
    nonce: 0,
    payload: 'replacement',
    feePerGas: 50,
  });
  await bench.tell(replacement, 'intent', other);
  await bench.chain.send(rawTx); // the first holder wakes up and sends
  bench.chain.mine();
  await bench.round();
  expect(await bench.row(0)).toMatchObject({
    stage: 'INTENT',
    txHash,
    hashes: [txHash, other.txHash],
  });
  await bench.alignment.alignWithChain(bench.submitter);
  bench.chain.mine(60);
  await bench.round();
  // The loser is told: the nonce ended, and not by its transaction.
  expect(await bench.row(0)).toMatchObject({
    id: replacement.id,
    stage: 'CONSUMED_EXTERNAL',
    txHash,
    proof: 'receipt',
  });
  expect(allocation.id).not.toBe(replacement.id);
});

it('two workers at once look at each row once', async () => {
  const allocations = await bench.grant(40);
  for (const allocation of allocations) {
    const signed = bench.sign(allocation);
    await bench.tell(allocation, 'intent', signed);
  }
  await bench.dueNow();
  const looks = await Promise.all(Array.from({ length: 4 }, () => bench.looker().look(['INTENT'])));
  expect(looks.reduce((sum, looked) => sum + looked, 0)).toBe(40);
  bench.chain.mine();
  await bench.round();
  const stages = await Promise.all(allocations.map(({ nonce }) => bench.stage(nonce)));
  expect(new Set(stages)).toEqual(new Set(['MINED']));
});

it('L4: a claim of a worker that died is taken over when it runs out', async () => {
  await intent();
  await bench.dueNow();
  const query = { stages: ['INTENT'] as const, chainIds: [bench.chain.chainId], limit: 10 };
  expect(await bench.store.claimDue({ ...query, leaseMs: 0 })).toHaveLength(1);
  expect(await bench.store.claimDue({ ...query, leaseMs: 60_000 })).toHaveLength(1);
  expect(await bench.store.claimDue({ ...query, leaseMs: 60_000 })).toHaveLength(0);
});

it('S10: a verdict is dropped when the row changed since it was claimed', async () => {
  const { allocation } = await intent();
  const verdict = { id: allocation.id, reason: 'late', nextLookMs: 0, hashesSeen: 1 };
  const other = bench.sign(allocation, 'bumped');
  await bench.tell(allocation, 'intent', other);
  const stale = { ...verdict, from: 'INTENT', to: 'QUARANTINED' } as const;
  expect((await bench.store.apply([stale])).size).toBe(0);
  expect((await bench.store.apply([{ ...stale, hashesSeen: 2 }])).size).toBe(1);
  expect((await bench.store.apply([{ ...stale, hashesSeen: 2 }])).size).toBe(0);
});
