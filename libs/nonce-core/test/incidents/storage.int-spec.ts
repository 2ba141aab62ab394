import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { PostgresServer } from '../../../../tools/src/stack/index';
import { parseSubmitter } from '../../src/domain/submitter';
import type { NonceComponent } from '../../src/module/nonce-component';
import { migrate } from '../../src/postgres/migrate';
import { HostBench, rejection } from './host-bench';
import { LossyLine } from './lossy-line';

const PLAIN_CHAIN_ID = 424_242;
const range = (length: number, from = 0) => Array.from({ length }, (_, index) => from + index);

let bench: HostBench;
let node: NonceComponent;
beforeAll(async () => {
  bench = await HostBench.open();
  node = await bench.node();
});
afterAll(() => bench.close());

let lastAddress = 0;
function newAddress(): string {
  lastAddress += 1;
  return `0x${lastAddress.toString(16).padStart(40, 'c')}`;
}

describe('I-34: a command is applied and its reply is lost', () => {
  let line: LossyLine;
  let behindLine: NonceComponent;
  beforeAll(async () => {
    line = await LossyLine.open(bench.database.url);
    const { database } = bench.options();
    behindLine = await bench.node({ database: { ...database, url: line.url } });
  });
  afterAll(() => line.close());

  // alloc(h1,op,req=r1): commits, reply lost; client resends => second nonce, first orphaned
  it.each([undefined, 'pay'])('an allocation (operation: %s) spends one nonce', async (name) => {
    const payer = bench.payer();
    const operation = name === undefined ? {} : { operationId: name };
    await behindLine.allocate(payer.address);
    line.loseAnswers(1);
    const [held] = await behindLine.allocate(payer.address, operation);
    expect([line.lostAnswers, held?.nonce]).toEqual([1, 1]);
    expect((await payer.rows()).map((row) => row.nonce)).toEqual([0, 1]);
  });

  // recyc(h1,5) applied, reply lost; alloc(h2)=5; resend recyc(5) => 5 free again
  it('a release whose reply was lost frees its nonce once: sent again it is fenced', async () => {
    const payer = bench.payer();
    const [first] = await node.allocate(payer.address);
    line.loseAnswers(1);
    const released = await behindLine.markRecyclable(first!, { reason: 'not needed' });
    expect([line.lostAnswers, released.stage]).toEqual([1, 'REUSABLE']);
    const [second] = await node.allocate(payer.address);
    expect(second?.nonce).toBe(0);
    const resent = await rejection(behindLine.markRecyclable(first!, { reason: 'not needed' }));
    expect(resent).toMatchObject({ code: 'NONCE_FENCED' });
    expect(await payer.stages()).toEqual(['GRANTED']);
    const [third] = await node.allocate(payer.address);
    expect(third?.nonce).toBe(1);
  });

  it('an intent whose reply was lost is one intent', async () => {
    const payer = bench.payer();
    const [held] = await node.allocate(payer.address);
    const signed = await payer.sign(0, bench.payment());
    line.loseAnswers(1);
    const written = await behindLine.intent(held!, signed);
    expect([line.lostAnswers, written.hashes]).toEqual([1, [signed.txHash]]);
  });
});

describe('I-35: a reader that is infinitely behind', () => {
  // alloc(h1,opA)=5 on the primary; replica.lag(oo); recovery reads the replica: opA has no nonce
  // => alloc(opA)=6
  const directories: string[] = [];
  const servers: PostgresServer[] = [];
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await Promise.all(directories.map((path) => rm(path, { recursive: true, force: true })));
  });

  async function start(path: string): Promise<PostgresServer> {
    const server = await PostgresServer.start({ dataDir: path });
    servers.push(server);
    return server;
  }

  it('cannot decide: a standby is refused at boot and, where that is switched off, by itself', async () => {
    const home = await mkdtemp(join(tmpdir(), 'noncekit-replica-'));
    directories.push(home);
    await chmod(home, 0o755); // the servers run under an account of their own
    const primary = await start(join(home, 'primary'));
    const database = { url: primary.url(), schema: 'noncekit', poolSize: 2 };
    await migrate(database);
    const payer = bench.payer();
    const opened = await bench.node({ database });
    await opened.allocate(payer.address, { operationId: 'before' });

    // A copy of now that will never hear of anything again.
    await primary.kill();
    await promisify(execFile)('cp', ['-a', join(home, 'primary'), join(home, 'replica')]);
    await writeFile(join(home, 'replica/cluster/standby.signal'), '');
    await primary.restart();
    const replica = await start(join(home, 'replica'));

    const [onPrimary] = await opened.allocate(payer.address, { operationId: 'A' });
    expect(onPrimary?.nonce).toBe(1);
    const stale = { ...database, url: replica.url() };
    const boot = await rejection(bench.node({ database: stale }));
    expect(boot).toMatchObject({ code: 'NONCE_CONFIG_INVALID' });
    expect(JSON.stringify(boot)).toContain('connect to the primary');
    const forced = await bench.node({ database: { ...stale, allowUnsafe: true } });
    const decision = await rejection(forced.allocate(payer.address, { operationId: 'A' }));
    expect(decision).toMatchObject({ code: 'NONCE_STORE_UNAVAILABLE' });
    const [again] = await opened.allocate(payer.address, { operationId: 'A' });
    expect(again).toMatchObject({ id: onPrimary!.id, nonce: 1 });
  });
});

describe('I-38: one account in many spellings, and one address on many chains', () => {
  // alloc(chain=1,0xAbC)=5; alloc(chain=1,0xabc)=5 · alloc(chain=1,A)=5; alloc(chain=10,A)=6
  const hexDigits = fc.stringMatching(/^[0-9a-fA-F]{40}$/);

  it('every spelling of a submitter has one canonical form, and no other text has any', () => {
    fc.assert(
      fc.property(hexDigits, fc.integer({ min: 1 }), fc.boolean(), (digits, chainId, upper) => {
        const address = `0x${digits}`;
        const canonical = `eip155:${chainId}:${address.toLowerCase()}`;
        const text = `eip155:${chainId}:${address}`;
        const spellings = [text, { chainId, address }, upper ? text.toUpperCase() : text];
        for (const spelling of spellings) expect(parseSubmitter(spelling)).toBe(canonical);
        expect(parseSubmitter(address, chainId)).toBe(canonical);
        const wrong = [
          `eip155:0x${chainId.toString(16)}:${address}`,
          `eip155:0${chainId}:${address}`,
          `eip155:${chainId}.0:${address}`,
          `eip155:${chainId}:${address.slice(2)}`,
          `eip155:${chainId}:${address}0`,
          ` ${canonical}`,
        ];
        for (const other of wrong) expect(() => parseSubmitter(other)).toThrow();
      }),
    );
  });

  it('spellings share one queue, and chains share none', async () => {
    const { address, submitter } = bench.payer();
    const upper = `0x${address.slice(2).toUpperCase()}`;
    const { chainId } = bench.chain;
    const spellings = [address, upper, submitter, `EIP155:${chainId}:${upper}`];
    const nonces: number[] = [];
    for (const spelling of [...spellings, { chainId, address: upper }]) {
      nonces.push((await node.allocate(spelling))[0]!.nonce);
    }
    expect(nonces).toEqual([0, 1, 2, 3, 4]);
    const elsewhere = { chainId: PLAIN_CHAIN_ID, address: upper };
    const [onOther] = await node.allocate(elsewhere, { startNonce: 0 });
    expect(onOther).toMatchObject({ nonce: 0, submitter: `eip155:${PLAIN_CHAIN_ID}:${address}` });
  });
});

describe('I-39: numbers at which doubles, 32-bit integers and texts go wrong', () => {
  // start the chain at 9, 99, 2^31-2, 2^32-2, 2^53-3, 2^63-2, 2^64-3 and run the standard workload
  it.each([9, 99, 2 ** 31 - 2, 2 ** 32 - 2])(
    'the chain stands at %d: payments cross it exactly and in order',
    async (start) => {
      const payer = bench.payer();
      const { server } = bench.chain;
      await server.rpc('anvil_setNonce', [payer.address, `0x${start.toString(16)}`]);
      const held = await node.allocate(payer.address, { count: 5 });
      expect(held.map((allocation) => allocation.nonce)).toEqual(range(5, start));
      for (const index of [4, 0, 2]) await node.markRecyclable(held[index]!, { reason: 'test' });
      const payments = range(4).map(() => bench.payment());
      for (const [turn, payment] of payments.entries()) {
        const paid = await node.execute(payer.address, payer.pays(payment));
        expect(paid.nonce).toBe(start + [0, 2, 4, 5][turn]!);
      }
      for (const index of [1, 3]) {
        const signed = await payer.sign(start + index, bench.payment());
        await node.intent({ submitter: payer.address, nonce: start + index }, signed);
        expect(await bench.send(signed.rawTx)).toBe('accepted');
        await node.markUsed(held[index]!, { txHash: signed.txHash });
      }
      await bench.mine();
      expect(await bench.minedNonces(payer)).toEqual(range(6, start));
    },
  );

  it('recycle {9, 10, 100}: they come back in numeric order', async () => {
    const submitter = { chainId: PLAIN_CHAIN_ID, address: newAddress() };
    const wide = await bench.node({ maxInFlight: 0 });
    const held = await wide.allocate(submitter, { count: 101, startNonce: 0 });
    for (const nonce of [100, 9, 10]) await wide.markRecyclable(held[nonce]!, { reason: 'test' });
    const again = await wide.allocate(submitter, { count: 4 });
    expect(again.map((allocation) => allocation.nonce)).toEqual([9, 10, 100, 101]);
  });

  it('2^53-3: the last two exact nonces are issued, and what lies above is refused', async () => {
    const submitter = { chainId: PLAIN_CHAIN_ID, address: newAddress() };
    const startNonce = 2 ** 53 - 3;
    const held = await node.allocate(submitter, { startNonce, count: 2 });
    expect(held.map((allocation) => allocation.nonce)).toEqual([2 ** 53 - 3, 2 ** 53 - 2]);
    const above = await rejection(node.allocate(submitter));
    expect(above).toMatchObject({ code: 'NONCE_OUT_OF_RANGE' });
    await node.markRecyclable(held[0]!, { reason: 'test' });
    expect((await node.allocate(submitter))[0]).toMatchObject({ nonce: startNonce });
  });

  it.each([2 ** 53 - 1, 2 ** 63 - 2, 2 ** 64 - 3, Number.NaN])(
    '%d is refused as a start, and leaves nothing behind',
    async (startNonce) => {
      const submitter = { chainId: PLAIN_CHAIN_ID, address: newAddress() };
      const refused = await rejection(node.allocate(submitter, { startNonce }));
      expect(refused).toMatchObject({ code: 'NONCE_OUT_OF_RANGE' });
      const view = await rejection(node.inspect(submitter));
      expect(view).toMatchObject({ code: 'NONCE_SUBMITTER_UNKNOWN' });
    },
  );

  it('a chain that counts beyond 2^53-2 is refused, not rounded', async () => {
    const payer = bench.payer();
    const { chainId } = bench.chain;
    const chain = bench.options().chains![chainId]!;
    if (!('client' in chain)) throw new Error('the bench brings its own client');
    const { reader, sender } = chain.client;
    const counting = { ...reader, transactionCount: async () => 2 ** 63 - 2 };
    const far = await bench.node({
      chains: { [chainId]: { client: { reader: counting, sender } } },
    });
    const refused = await rejection(far.allocate(payer.address));
    expect(refused).toMatchObject({ code: 'NONCE_OUT_OF_RANGE' });
    expect(await payer.rows()).toEqual([]);
  });
});
