import { RedisReplicaPair, RedisServer } from '../../../../tools/src/stack/index';
import type { Allocation } from '../../src/domain/allocation';
import type { Submitter } from '../../src/domain/submitter';
import { hashOf } from '../support/store-fixture';
import { TopologyWorld, toServer } from './topology-world';

const SUBMITTERS = 200;
const TOUCHED = 150;
/** Submitters of one statement at most, as the engine is built. */
const GROUP = 64;
/** Groups are formed while earlier ones are on their way, so they are not all full. */
const STATEMENTS_MAX = 4 * Math.ceil(TOUCHED / GROUP);

let server: RedisServer;
let world: TopologyWorld;
/** Of which the server is the first, once it has a replica. */
let pair: RedisReplicaPair | undefined;

beforeAll(async () => {
  server = await RedisServer.start();
  world = await TopologyWorld.open({ intents: 'strict', submitters: SUBMITTERS });
});
afterAll(async () => {
  await world.close();
  await (pair ?? server).stop();
});

describe('H-16: a first replica attaches to a Redis that has lost nothing, strict intents', () => {
  it('bumps each touched submitter once, when it is touched, without quarantine and without a storm', async () => {
    const connect = toServer(server);
    const { engine } = await world.addNode(connect);
    const worker = await world.flushFrom(connect);
    const one = async (submitter: Submitter): Promise<Allocation> => {
      const wish = { submitter, count: 1, ttlMs: 60_000, exposure: 'declared' } as const;
      const [granted] = (await engine.allocate(wish)).allocations;
      if (granted === undefined) throw new Error('a grant without an allocation');
      return granted;
    };
    const touched = world.submitters.slice(0, TOUCHED);
    const held = await Promise.all(world.submitters.map(one));
    await worker.drain();
    const before = await world.epochs();
    const statements = world.entered.length;

    pair = await RedisReplicaPair.attach(server);
    const later = await Promise.all([...touched, ...touched, ...touched].map(one));

    const after = await world.epochs();
    expect(after.map((epoch, i) => epoch - (before[i] ?? 0))).toEqual(
      world.submitters.map((_, i) => (i < TOUCHED ? 1 : 0)),
    );
    const entered = world.entered.slice(statements);
    expect(entered.length).toBeLessThanOrEqual(STATEMENTS_MAX);
    expect(entered.reduce((sum, count) => sum + count, 0)).toBe(TOUCHED);

    // Whose grant Postgres had heard of may still send, and nobody else got the nonce.
    const intents = await Promise.all(
      held.map((grant, i) => engine.intent(grant, { txHash: hashOf(i + 1) })),
    );
    expect(new Set(intents.map(({ allocation }) => allocation.stage))).toEqual(new Set(['INTENT']));
    await worker.drain();
    expect(await world.countRows('QUARANTINED')).toBe(0);
    const names = [...held, ...later].map(({ submitter, nonce }) => `${submitter} ${nonce}`);
    expect(new Set(names).size).toBe(names.length);
  });
});
