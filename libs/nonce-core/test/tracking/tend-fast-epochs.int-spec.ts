import type { Allocation } from '../../src/domain/allocation';
import type { Submitter } from '../../src/domain/submitter';
import type { PerformanceEngine } from '../../src/engines/performance/performance-engine';
import { TendFastEpochs } from '../../src/tracking/tend-fast-epochs';
import { RedisServer } from '../../../../tools/src/stack/index';
import { openFastFixture, redisOfItsOwn, type FastFixture } from '../support/fast-fixture';
import { newSubmitter } from '../support/store-fixture';
import { waitFor } from '../support/wait-for';

const quiet = () => undefined;
const SILENT = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const NEVER = new AbortController().signal;
const HOUR_MS = 3_600_000;

function tending(fixture: FastFixture, idleCloseMs: number, pageSize = 100): TendFastEpochs {
  const { epochs, fast } = fixture;
  const deps = { epochs, fast: fast.store, logger: SILENT };
  return new TendFastEpochs(deps, { idleCloseMs, pageSize });
}

async function allocate(
  engine: PerformanceEngine,
  submitter: Submitter,
  ttlMs = 60_000,
): Promise<Allocation> {
  const grant = await engine.allocate({ submitter, count: 1, ttlMs, exposure: 'declared' });
  return grant.allocations[0]!;
}

describe('a node that is gone', () => {
  let fixture: FastFixture;
  beforeAll(async () => {
    fixture = await openFastFixture();
  });
  afterAll(() => fixture.close());

  it('leaves reservations that a worker takes back in Redis once they expired', async () => {
    const submitter = newSubmitter();
    const held = await allocate(fixture.node(), submitter);
    await fixture.expireInRedis(held);
    await tending(fixture, HOUR_MS).tick(NEVER);
    await fixture.flush(submitter);
    const found = await fixture.submitters.nonce(submitter, held.nonce);
    expect(found?.allocation.stage).toBe('REUSABLE');
    expect((await fixture.epochs.ruling(submitter))?.epoch).toBe(held.epoch);
  });

  it('leaves an epoch that a worker closes once it is idle, and whose nonces are issued next', async () => {
    const submitter = newSubmitter();
    const first = fixture.node();
    const { id } = await allocate(first, submitter);
    await first.markRecyclable({ id }, { reason: 'a test' });
    await fixture.flush(submitter);
    expect(await tending(fixture, HOUR_MS).tick(NEVER)).toBe(0);
    await waitFor(
      async () => {
        await tending(fixture, 1).tick(NEVER);
        return (await fixture.epochs.ruling(submitter)) === null;
      },
      { describe: 'the epoch to be idle and closed' },
    );
    const engine = fixture.node();
    const next = [await allocate(engine, submitter), await allocate(engine, submitter)];
    expect(next.map(({ nonce }) => nonce)).toEqual([0, 1]);
  });

  it('with others: all of their epochs are looked after, a page per tick', async () => {
    const engine = fixture.node();
    const submitters = [newSubmitter(), newSubmitter(), newSubmitter()];
    for (const submitter of submitters) {
      const { id } = await allocate(engine, submitter);
      await engine.markRecyclable({ id }, { reason: 'a test' });
      await fixture.flush(submitter);
    }
    const paged = tending(fixture, 0, 1);
    await waitFor(
      async () => {
        await paged.tick(NEVER);
        const ruling = await Promise.all(submitters.map((one) => fixture.epochs.ruling(one)));
        return ruling.every((view) => view === null);
      },
      { describe: 'every page to be looked at' },
    );
  });
});

it('epochs of a Redis that started again are closed: their reservations end in Postgres', async () => {
  const server = await RedisServer.start();
  const fixture = await openFastFixture({ redis: await redisOfItsOwn(server.url) });
  try {
    const submitter = newSubmitter();
    const held = await allocate(fixture.node(), submitter);
    await fixture.flush(submitter);
    await server.kill();
    // While it is away nothing is judged: it may come back as it was.
    expect(await tending(fixture, 0).tick(NEVER)).toBe(0);
    await server.restart();
    await waitFor(async () => (await tending(fixture, HOUR_MS).tick(NEVER)) === 1, {
      describe: 'the restarted Redis to be noticed',
    });
    expect(await fixture.epochs.ruling(submitter)).toBeNull();
    const late = await fixture.node().intent(held, { txHash: `0x${'ab'.repeat(32)}` });
    expect(late.allocation.stage).toBe('INTENT');
  } finally {
    await fixture.close();
    await server.stop();
  }
});
