import { NonceError } from '../../src/domain/errors/nonce-error';
import { parseSubmitter, type Submitter } from '../../src/domain/submitter';
import { NonceEngineManager } from '../../src/routing/engine-manager';
import { oneEngine } from '../../src/routing/engine-routes';
import { FakeClock } from '../../src/testing/fake-clock';
import { InMemoryNonceEngine } from '../../src/testing/in-memory-nonce-engine';

const noop = () => undefined;
const SILENT = { debug: noop, info: noop, warn: noop, error: noop };
const SUBMITTER = parseSubmitter({ chainId: 5, address: `0x${'0a'.repeat(20)}` });
const one = { submitter: SUBMITTER, count: 1, ttlMs: 60_000, exposure: 'declared' } as const;

function managerOf(refresh: (engine: InMemoryNonceEngine) => Promise<void>) {
  const clock = new FakeClock();
  const engine = new InMemoryNonceEngine({ maxInFlight: 2 });
  const refreshed: Submitter[] = [];
  const manager = new NonceEngineManager({
    routes: oneEngine(engine),
    switching: null,
    find: (id) => engine.findById(id),
    refreshFloor: async (submitter) => {
      refreshed.push(submitter);
      await refresh(engine);
    },
    checkIntent: async () => undefined,
    clock,
    logger: SILENT,
  });
  return { manager, engine, clock, refreshed };
}

describe('a full window', () => {
  it('is compared with the chain once and tried again', async () => {
    const { manager, engine, refreshed } = managerOf(async (memory) => {
      const [row] = memory.rows(SUBMITTER);
      await memory.markUsed({ id: row!.id }, {});
    });
    await engine.allocate({ ...one, count: 2 });
    const grant = await manager.allocate(one);
    expect(grant.allocations[0]?.nonce).toBe(2);
    expect(refreshed).toEqual([SUBMITTER]);
  });

  it('is not compared more often than the interval, however many callers wait', async () => {
    const { manager, engine, clock, refreshed } = managerOf(async () => undefined);
    await engine.allocate({ ...one, count: 2 });
    const refused = () =>
      expect(manager.allocate(one)).rejects.toMatchObject({ code: 'NONCE_IN_FLIGHT_LIMIT' });
    await Promise.all([refused(), refused(), refused()]);
    await refused();
    expect(refreshed).toHaveLength(1);
    await clock.advance(500);
    await refused();
    expect(refreshed).toHaveLength(2);
  });

  it('stays a full window for the caller when the chain cannot be read', async () => {
    const { manager, engine } = managerOf(async () => {
      throw new NonceError('NONCE_CHAIN_UNREACHABLE');
    });
    await engine.allocate({ ...one, count: 2 });
    await expect(manager.allocate(one)).rejects.toMatchObject({ code: 'NONCE_IN_FLIGHT_LIMIT' });
  });
});
