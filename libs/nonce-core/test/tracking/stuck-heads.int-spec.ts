import type { Allocation } from '../../src/domain/allocation';
import type { Hex } from '../../src/domain/brand';
import type { StuckAnswer } from '../../src/domain/stuck-answer';
import type { SubmissionReport } from '../../src/ports/chain.port';
import type { BurnSigner } from '../../src/ports/burn-signer.port';
import type { BumpRequest, BumpSigning, TransactionSigner } from '../../src/ports/signer.port';
import type { StuckNonce } from '../../src/ports/stuck-hook.port';
import { decodeFake } from '../../src/testing/fake-transaction';
import { fakeHash } from '../../src/testing/fake-transaction';
import { hashOf } from '../support/store-fixture';
import { TrackingBench } from './tracking-bench';

const DAY_MS = 86_400_000;
const STUCK_MS = 600_000;

/** Signs the same work again on the chain in memory, an eighth above the dearest known. */
class FakeSigner implements TransactionSigner {
  readonly requests: BumpRequest[] = [];
  /** What happens while the signer is busy. */
  meanwhile: () => Promise<unknown> = () => Promise.resolve();

  constructor(private readonly bench: TrackingBench) {}

  async bump(request: BumpRequest): Promise<BumpSigning> {
    this.requests.push(request);
    await this.meanwhile();
    const { from, nonce, payload } = decodeFake(request.rawTx);
    const fees = request.outbid.map((bytes) => decodeFake(bytes).feePerGas);
    const feePerGas = Math.ceil(Math.max(...fees) * 1.125);
    return { kind: 'signed', ...this.bench.chain.sign({ from, nonce, payload, feePerGas }) };
  }
}

let bench: TrackingBench;

beforeEach(async () => {
  bench = await TrackingBench.open();
});
afterEach(() => bench.close());

/** Granted, with the intent of its bytes recorded and its holder gone. */
async function exposed(count: number): Promise<readonly Allocation[]> {
  const granted = await bench.grant(count);
  for (const each of granted) await bench.tell(each, 'intent', bench.sign(each));
  return granted;
}

/** Every send from now on, and answers of the node to bytes of some nonces. */
function watchSends(
  refuse: (nonce: number) => Omit<SubmissionReport, 'txHash'> | null = () => null,
) {
  const sent: { nonce: number; rawTx: Hex }[] = [];
  const send = bench.chain.send.bind(bench.chain);
  const spy = jest.spyOn(bench.chain, 'send').mockImplementation((rawTx) => {
    const { nonce } = decodeFake(rawTx);
    sent.push({ nonce, rawTx });
    const refusal = refuse(nonce);
    if (refusal === null) return send(rawTx);
    return Promise.resolve({ ...refusal, txHash: fakeHash(rawTx) });
  });
  return { sent, restore: () => spy.mockRestore() };
}

async function finish(): Promise<void> {
  bench.chain.mine(5);
  for (let round = 0; round < 4; round += 1) await bench.round();
}

function burnSigner(): BurnSigner {
  return {
    sign: async ({ address: from, nonce }) => ({
      kind: 'signed',
      ...bench.chain.sign({ from, nonce, payload: `burn ${nonce}`, feePerGas: 500 }),
    }),
  };
}

const stages = (nonces: readonly number[]) =>
  Promise.all(nonces.map((nonce) => bench.stage(nonce)));
const NO_FUNDS = {
  outcome: 'not-accepted-now',
  detail: 'insufficient funds',
  lacks: 'funds',
} as const;
const TOO_BIG = { outcome: 'never-executable', detail: 'exceeds block gas limit' } as const;

describe('transactions that every pool forgot', () => {
  it('I-16, L7, L1: are sent again byte by byte, lowest first, and all mine', async () => {
    const nonces = Array.from({ length: 24 }, (_, nonce) => nonce);
    const granted = await exposed(24);
    await bench.round();
    expect(new Set(await stages(nonces))).toEqual(new Set(['BROADCAST']));
    for (const each of granted) bench.chain.drop(bench.sign(each).txHash);
    const { sent } = watchSends();
    await bench.age(1_000);
    await bench.round();
    expect(sent).toEqual(
      granted.map((each) => ({ nonce: each.nonce, rawTx: bench.sign(each).rawTx })),
    );
    await finish();
    expect(new Set(await stages(nonces))).toEqual(new Set(['FINAL']));
    for (const nonce of nonces) expect(bench.chain.executions(`work ${nonce}`)).toBe(1);
  });

  it('L12: are not sent again above a gap until it moves', async () => {
    const granted = await exposed(4);
    await bench.round();
    for (const each of granted.slice(1)) bench.chain.drop(bench.sign(each).txHash);
    // Nonce 1 is refused; 2 and 3 could not mine whatever a pool says of them.
    let broke = true;
    const { sent } = watchSends((nonce) => (broke && nonce === 1 ? NO_FUNDS : null));
    await bench.age(1_000);
    await bench.round();
    await bench.age(STUCK_MS);
    await bench.round();
    await bench.round();
    expect(new Set(sent.map(({ nonce }) => nonce))).toEqual(new Set([1]));
    broke = false;
    await bench.round();
    await bench.age(1_000);
    await bench.round();
    await finish();
    expect(await stages([0, 1, 2, 3])).toEqual(['FINAL', 'FINAL', 'FINAL', 'FINAL']);
  });

  it('L12: are sent no more often within a minute than the bound, and one spent is told once', async () => {
    bench.attempts = { perMinute: 2, total: 3 };
    await exposed(1);
    const { sent } = watchSends(() => NO_FUNDS);
    for (let round = 0; round < 5; round += 1) await bench.round();
    expect(sent).toHaveLength(2);
    await bench.fixture.database.pool.query(
      `UPDATE submitter_nonce_allocation SET resend_minute_at = resend_minute_at - interval '1 min'`,
    );
    for (let round = 0; round < 5; round += 1) await bench.round();
    expect(sent).toHaveLength(3);
    expect(bench.events.filter((name) => name === 'tx.stuck')).toHaveLength(1);
    // Somebody else may still have had it: receipts are looked at all the same.
    jest.restoreAllMocks();
    await bench.chain.send(sent[0]?.rawTx ?? '0x');
    await finish();
    expect(await bench.stage(0)).toBe('FINAL');
  });

  it('L5: of two workers with a claim of one row only the later one sends', async () => {
    await exposed(1);
    const claim = async () => {
      await bench.dueNow();
      const chainIds = [bench.chain.chainId];
      const query = { stages: ['INTENT'] as const, chainIds, limit: 10, leaseMs: 30_000 };
      const [row] = await bench.store.claimDue(query);
      if (row === undefined) throw new Error('nothing claimed');
      return { id: row.id, from: row.stage, hashesSeen: 1, claim: row.claim };
    };
    const bounds = { perMinute: 10, total: 10, leaseMs: 30_000 };
    const [slow, quick] = [await claim(), await claim()];
    const taken = await Promise.all(
      [slow, quick, quick].map((send) => bench.store.recordSends([send], bounds)),
    );
    const [older, ...newer] = taken.map((ids) => ids.size);
    // Of two calls with the newer claim it is one, whichever comes first.
    expect([older, ...newer.sort()]).toEqual([0, 0, 1]);
  });
});

describe('a head that cannot pay', () => {
  it('I-10, S5: is held for a day without a word of failure, and executes once after the top-up', async () => {
    bench.signer = new FakeSigner(bench);
    bench.burnSigner = burnSigner();
    const [first] = await exposed(2);
    let broke = true;
    watchSends(() => (broke ? NO_FUNDS : null));
    for (let hour = 0; hour < 24; hour += 1) {
      await bench.age(DAY_MS / 24);
      await bench.round();
      expect(await stages([0, 1])).toEqual(['INTENT', 'INTENT']);
    }
    expect(await bench.store.backlog()).toMatchObject({ stuck: 1 });
    broke = false;
    await bench.round();
    await bench.round();
    await finish();
    expect(await stages([0, 1])).toEqual(['FINAL', 'FINAL']);
    expect((await bench.row(0))?.hashes).toEqual([bench.sign(first as Allocation).txHash]);
    expect([0, 1].map((nonce) => bench.chain.executions(`work ${nonce}`))).toEqual([1, 1]);
  });
});

describe('a head that can never execute', () => {
  it('I-17, L10, S5, S16: is closed by a transfer of nothing, its followers mine, and it is told as burnt only when that is final', async () => {
    bench.burnSigner = burnSigner();
    await exposed(3);
    const { restore } = watchSends((nonce) => (nonce === 0 ? TOO_BIG : null));
    const burnt = bench.burnSigner;
    bench.burnSigner = {
      sign: (request) => {
        restore(); // the burn itself is taken
        return burnt.sign(request);
      },
    };
    await bench.round();
    expect(await bench.stage(0)).toBe('BURNING');
    const [poison, burn] = (await bench.row(0))?.hashes ?? [];
    expect([poison, burn].every((hash) => hash !== undefined)).toBe(true);
    await bench.age(1_000);
    await bench.round();
    bench.chain.mine(1);
    await bench.round();
    // In a block, not final: nobody is told that the work was not done.
    expect(await bench.stage(0)).toBe('BURNING');
    await finish();
    expect(await stages([0, 1, 2])).toEqual(['BURNT', 'FINAL', 'FINAL']);
    const done = ['work 0', 'burn 0', 'work 1', 'work 2'].map((what) =>
      bench.chain.executions(what),
    );
    expect(done).toEqual([0, 1, 1, 1]);
  });

  it('I-17: is reported, and never given up, where nobody can sign burns', async () => {
    await exposed(1);
    watchSends(() => TOO_BIG);
    await bench.round();
    await bench.round();
    expect(await bench.row(0)).toMatchObject({
      stage: 'INTENT',
      note: expect.stringMatching(/never/),
    });
    expect(bench.events.filter((name) => name === 'tx.stuck')).toHaveLength(1);
  });
});

describe('a head whose fee is too low', () => {
  it('I-22, L14: is signed again for more until it gets past what holds its nonce', async () => {
    const signer = new FakeSigner(bench);
    bench.signer = signer;
    const rival = bench.chain.sign({
      from: bench.address,
      nonce: 0,
      payload: 'rival',
      feePerGas: 13,
    });
    await bench.chain.send(rival.rawTx);
    const [held] = (await exposed(1)) as [Allocation];
    for (let round = 0; round < 5; round += 1) await bench.round();
    expect(await bench.stage(0)).toBe('BROADCAST');
    const hashes = (await bench.row(0))?.hashes ?? [];
    expect(hashes[0]).toBe(bench.sign(held).txHash);
    expect(hashes).toHaveLength(1 + signer.requests.length);
    const fees = signer.requests.map(({ rawTx }) => decodeFake(rawTx).feePerGas);
    expect(fees).toEqual([...fees].sort((a, b) => a - b));
    expect(fees.length).toBeGreaterThan(1);
    await finish();
    expect(await bench.row(0)).toMatchObject({ stage: 'FINAL', txHash: hashes.at(-1) });
    expect(bench.chain.executions('work 0')).toBe(1);
    expect(bench.chain.executions('rival')).toBe(0);
  });

  it('L14, S6: is outbid by itself when a pool has held it for long; whichever mines is its success', async () => {
    bench.signer = new FakeSigner(bench);
    const [held] = (await exposed(1)) as [Allocation];
    await bench.round();
    await bench.age(STUCK_MS);
    await bench.round();
    expect((await bench.row(0))?.hashes).toHaveLength(2);
    expect(bench.events).not.toContain('tx.stuck');
    // The older bytes win after all, as in a pool that never saw the newer ones.
    bench.chain.drop((await bench.row(0))?.hashes[1] ?? '0x');
    await bench.chain.send(bench.sign(held).rawTx);
    await finish();
    expect(await bench.row(0)).toMatchObject({ stage: 'FINAL', txHash: bench.sign(held).txHash });
    expect(bench.chain.executions('work 0')).toBe(1);
  });

  it('S2, S16: sends no higher fee that was not recorded, nor one signed before its holder recorded another hash', async () => {
    const signer = new FakeSigner(bench);
    bench.signer = signer;
    const [held] = (await exposed(1)) as [Allocation];
    await bench.round();
    signer.meanwhile = () => bench.tell(held, 'submitted', { txHash: hashOf(7) });
    const { sent } = watchSends();
    await bench.age(STUCK_MS);
    await bench.round();
    expect(signer.requests).toHaveLength(1);
    const own = bench.sign(held).rawTx;
    expect(sent.every(({ rawTx }) => rawTx === own)).toBe(true);
    expect((await bench.row(0))?.hashes).toEqual([bench.sign(held).txHash, hashOf(7)]);
  });

  it('K4: a crash after the record leaves bytes that the next look sends', async () => {
    const signer = new FakeSigner(bench);
    bench.signer = signer;
    await exposed(1);
    await bench.round();
    bench.chain.failNextSend('not-reached');
    await bench.age(STUCK_MS);
    await bench.round();
    const recorded = (await bench.row(0))?.hashes ?? [];
    expect(recorded).toHaveLength(2);
    await bench.age(1_000);
    await bench.round();
    expect(signer.requests).toHaveLength(1);
    await finish();
    expect(await bench.row(0)).toMatchObject({ stage: 'FINAL', txHash: recorded[1] });
  });
});

describe('a hook for stuck nonces', () => {
  async function pooledForLong(answer: () => StuckAnswer | Promise<StuckAnswer>) {
    const asked: StuckNonce[] = [];
    bench.signer = new FakeSigner(bench);
    bench.burnSigner = burnSigner();
    bench.stuckHook = {
      decide: (stuck) => {
        asked.push(stuck);
        return answer();
      },
    };
    await exposed(1);
    await bench.round();
    await bench.age(STUCK_MS);
    await bench.round();
    await bench.round();
    return asked;
  }

  it.each([
    ['wait', 'BROADCAST', 1],
    ['alarm', 'BROADCAST', 1],
    ['bump', 'BROADCAST', 2],
    ['burn', 'BURNING', 2],
  ] as const)('is asked once, and %s is followed', async (answer, stage, hashes) => {
    const asked = await pooledForLong(() => answer);
    expect(asked).toMatchObject([{ cause: 'fee-too-low', nonce: 0, suggestion: 'bump' }]);
    expect(await bench.stage(0)).toBe(stage);
    expect((await bench.row(0))?.hashes).toHaveLength(hashes);
    expect(bench.events.includes('anomaly')).toBe(answer === 'alarm');
    expect(bench.events.includes('tx.stuck')).toBe(hashes === 1);
  });

  it('decides nothing when it fails', async () => {
    const asked = await pooledForLong(() => Promise.reject(new Error('no decision')));
    expect(asked).toHaveLength(1);
    expect(await bench.row(0)).toMatchObject({ stage: 'BROADCAST' });
    expect(bench.events).toContain('tx.stuck');
  });
});
