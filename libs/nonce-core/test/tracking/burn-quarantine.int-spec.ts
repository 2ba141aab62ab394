import type { Allocation } from '../../src/domain/allocation';
import type { Hex } from '../../src/domain/brand';
import type { BurnRequest, BurnSigner, BurnSigning } from '../../src/ports/burn-signer.port';
import { batchOf, hashOf, rowOf } from '../support/store-fixture';
import { TrackingBench } from './tracking-bench';

const BURN = { ms: 30_000, release: 'burn' } as const;

/** Signs on the chain in memory; pays an eighth more with each burn of the same nonce. */
class FakeBurnSigner implements BurnSigner {
  readonly requests: BurnRequest[] = [];
  refusal: Exclude<BurnSigning, { kind: 'signed' }> | null = null;
  /** What happens while the signer is busy. */
  meanwhile: () => Promise<unknown> = () => Promise.resolve();

  constructor(private readonly bench: TrackingBench) {}

  async sign(request: BurnRequest): Promise<BurnSigning> {
    this.requests.push(request);
    await this.meanwhile();
    if (this.refusal !== null) return this.refusal;
    const { address: from, nonce, outbid } = request;
    const feePerGas = 100 + 20 * outbid.length;
    const signed = this.bench.chain.sign({ from, nonce, payload: `burn ${nonce}`, feePerGas });
    return { kind: 'signed', ...signed };
  }
}

describe('quarantined nonces that are closed by burns', () => {
  let bench: TrackingBench;
  let signer: FakeBurnSigner;

  beforeEach(async () => {
    bench = await TrackingBench.open();
    signer = new FakeBurnSigner(bench);
    bench.burnSigner = signer;
    bench.quarantine = BURN;
  });

  afterEach(async () => {
    await bench.close();
  });

  /** As after a handler that may have sent and did not come back. */
  async function quarantined(count = 1): Promise<readonly Allocation[]> {
    const granted = await bench.grant(count, { exposure: 'inferred' });
    for (const each of granted) await bench.tell(each, 'quarantine');
    return granted;
  }

  async function due(): Promise<void> {
    await bench.age(BURN.ms);
    await bench.round();
  }

  /** The answer to a late intent of its hash. */
  async function lateIntent({ id }: Allocation, txHash: Hex): Promise<string> {
    const silence = { submitter: null, nonce: null, rawTx: null, note: null, ttlMs: 0 };
    const row = { ...silence, command: 'intent', id, txHash, followable: true } as const;
    const [answer] = await bench.fixture.store.command([row], BURN);
    return answer?.kind === 'done' ? answer.allocation.stage : String(answer?.code);
  }

  async function finish(): Promise<void> {
    bench.chain.mine(5);
    await bench.round();
    await bench.round();
  }

  it('I-31, L1: are closed lowest first after the wait, and allocation goes on above them', async () => {
    await quarantined(3);
    await bench.round();
    expect(signer.requests).toEqual([]);
    const sent = jest.spyOn(bench.chain, 'send');
    await due();
    const reports = await Promise.all(
      sent.mock.results.map(({ value }) => value as Promise<unknown>),
    );
    const recorded = await Promise.all([0, 1, 2].map((nonce) => bench.row(nonce)));
    expect(reports).toMatchObject(recorded.map((row) => ({ txHash: row?.hashes[0] })));
    expect(await Promise.all([0, 1, 2].map((nonce) => bench.stage(nonce)))).toEqual(
      Array.from({ length: 3 }, () => 'BURNING'),
    );
    await finish();
    const rows = await Promise.all([0, 1, 2].map((nonce) => bench.row(nonce)));
    for (const row of rows) expect(row).toMatchObject({ stage: 'BURNT', proof: 'receipt' });
    expect([0, 1, 2].map((nonce) => bench.chain.executions(`burn ${nonce}`))).toEqual([1, 1, 1]);
    const [next] = await bench.grant(1);
    expect(next).toMatchObject({ nonce: 3, source: 'fresh' });
  });

  it('I-31, S16: fence the holder before anything is sent: a late intent is refused', async () => {
    const [held] = (await quarantined()) as [Allocation];
    bench.chain.failNextSend('not-reached');
    await due();
    expect(await lateIntent(held, hashOf(1))).toBe('NONCE_FENCED');
    expect((await bench.row(0))?.hashes).toHaveLength(1);
    await bench.age(1_000);
    await bench.round();
    await finish();
    expect(await lateIntent(held, hashOf(1))).toBe('NONCE_FENCED');
    expect(await bench.stage(0)).toBe('BURNT');
  });

  it('I-31: are left to a holder whose intent came while the burn was signed', async () => {
    const [held] = (await quarantined()) as [Allocation];
    const own = bench.sign(held);
    signer.meanwhile = () => lateIntent(held, own.txHash);
    await due();
    expect(await bench.row(0)).toMatchObject({ stage: 'INTENT', hashes: [own.txHash] });
    bench.chain.mine();
    expect(bench.chain.executions('burn 0')).toBe(0);
  });

  it('K4: the bytes of a burner that died before it sent are sent by the next one, and none beside them', async () => {
    await quarantined();
    bench.chain.failNextSend('not-reached');
    await due();
    const recorded = (await bench.row(0))?.hashes;
    expect(recorded).toHaveLength(1);
    await bench.age(1_000);
    await bench.round();
    expect(signer.requests).toHaveLength(1);
    await finish();
    expect(await bench.row(0)).toMatchObject({ stage: 'BURNT', hashes: recorded });
  });

  it.each([
    ['the holder’s', { burnFirst: false, stage: 'FINAL', burns: 0 }],
    ['the burn', { burnFirst: true, stage: 'BURNT', burns: 1 }],
  ])(
    'H-21: of what a holder sent late and the burn at most one mines, here %s',
    async (_, expected) => {
      const [held] = (await bench.grant(1)) as [Allocation];
      const feePerGas = expected.burnFirst ? 1 : 1_000;
      const own = bench.chain.sign({ from: bench.address, nonce: 0, payload: 'work', feePerGas });
      await bench.tell(held, 'intent', { txHash: own.txHash });
      await bench.dueNow();
      await bench.round();
      expect(await bench.stage(0)).toBe('QUARANTINED');
      await due();
      expect(await bench.stage(0)).toBe('BURNING');
      await bench.chain.send(own.rawTx);
      bench.chain.mine(5);
      for (let round = 0; round < 4; round += 1) await bench.round();
      const row = await bench.row(0);
      expect(row).toMatchObject({ stage: expected.stage, proof: 'receipt' });
      expect(row?.hashes).toHaveLength(2);
      expect(row?.hashes[0]).toBe(own.txHash);
      expect(bench.chain.executions('burn 0')).toBe(expected.burns);
      expect(bench.chain.executions('work')).toBe(1 - expected.burns);
    },
  );

  it('H-3: the operation of a nonce that was burnt gets another one, and not before it is final', async () => {
    const ask = async () => {
      const row = rowOf(bench.submitter, { operationId: 'pay', exposure: 'inferred' });
      const [answer] = await bench.fixture.store.allocate(batchOf([row], { quarantine: BURN }));
      if (answer?.kind !== 'granted') throw new Error(JSON.stringify(answer));
      return answer.allocations[0] as Allocation;
    };
    const held = await ask();
    await bench.tell(held, 'quarantine');
    await due();
    expect(await ask()).toMatchObject({ nonce: 0, stage: 'BURNING' });
    bench.chain.mine();
    await bench.round();
    expect(await ask()).toMatchObject({ nonce: 0, stage: 'BURNING' });
    await finish();
    expect(await ask()).toMatchObject({ nonce: 1, stage: 'GRANTED' });
  });

  it('L14: are burned again for more when the first burn does not get through', async () => {
    await quarantined();
    await due();
    await bench.alignment.alignWithChain(bench.submitter);
    await bench.age(600_000);
    await bench.round();
    expect(signer.requests.map(({ outbid }) => outbid.length)).toEqual([0, 1]);
    const hashes = (await bench.row(0))?.hashes;
    expect(hashes).toHaveLength(2);
    await finish();
    expect(await bench.row(0)).toMatchObject({ stage: 'BURNT', txHash: hashes?.[1] });
    expect(bench.chain.executions('burn 0')).toBe(1);
  });

  it('are reported as stuck when the signer refuses, hold nobody else up, and are closed once it agrees', async () => {
    await quarantined();
    signer.refusal = { kind: 'refused', reason: 'no key of this account' };
    await due();
    expect(bench.events).toContain('tx.stuck');
    expect(await bench.row(0)).toMatchObject({
      stage: 'QUARANTINED',
      note: 'no burn: no key of this account',
    });
    expect(await bench.store.backlog()).toMatchObject({ quarantined: 1, stuck: 1 });
    expect(await bench.grant(1)).toMatchObject([{ nonce: 1 }]);
    signer.refusal = null;
    await bench.round();
    await finish();
    expect(await bench.stage(0)).toBe('BURNT');
    expect(await bench.store.backlog()).toMatchObject({ quarantined: 0, stuck: 0 });
  });

  it('wait when the signer has no answer', async () => {
    await quarantined();
    signer.refusal = { kind: 'unavailable', cause: 'no node names a price' };
    await due();
    expect(await bench.row(0)).toMatchObject({ stage: 'QUARANTINED' });
    expect(await bench.store.backlog()).toMatchObject({ stuck: 0 });
  });

  it('L5: two workers that burn the same nonce at once record one burn between them', async () => {
    await quarantined();
    await bench.age(BURN.ms);
    const claimed = await bench.store.claimDue({
      stages: ['QUARANTINED'],
      chainIds: [bench.chain.chainId],
      limit: 10,
      leaseMs: 30_000,
    });
    const [row] = claimed;
    if (row === undefined) throw new Error('nothing claimed');
    const burn = (seed: number) => ({
      id: row.id,
      from: row.stage,
      hashesSeen: 0,
      txHash: hashOf(seed),
      rawTx: '0x02' as const,
      reason: 'a test',
      nextLookMs: 1_000,
    });
    const written = await Promise.all([1, 2].map((seed) => bench.store.recordBurns([burn(seed)])));
    expect(written.map((ids) => ids.size).sort()).toEqual([0, 1]);
    expect((await bench.row(0))?.hashes).toHaveLength(1);
  });
});
