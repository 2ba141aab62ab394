import { NonceError } from '../../src/domain/errors/nonce-error';
import { outpaced } from '../../src/domain/errors/outpaced';
import { decideReroute, type Rerouting } from '../../src/routing/decide-reroute';
import { Reroute } from '../../src/routing/reroute';
import { FakeClock } from '../../src/testing/fake-clock';
import { fixedMode, modeSnapshot } from '../support/fixed-mode';

const SWITCHING = new NonceError('NONCE_MODE_SWITCHING');
const NO_REDIS = new NonceError('NONCE_STORE_UNAVAILABLE', { context: { store: 'redis' } });
const NO_WITNESS = new NonceError('NONCE_STORE_UNAVAILABLE', { context: { store: 'witness' } });
const NO_POSTGRES = new NonceError('NONCE_STORE_UNAVAILABLE', { context: { store: 'postgres' } });

const call = (own: Partial<Rerouting> = {}): Rerouting => ({
  ...{ waitedMs: 0, waitMs: 5_000, attempt: 0, engine: 'performance', degrades: true },
  ...own,
});

describe('a caller whom no engine served', () => {
  it.each([
    ['a switch', SWITCHING, call(), { kind: 'again', pauseMs: 5 }],
    ['a longer switch', SWITCHING, call({ attempt: 30 }), { kind: 'again', pauseMs: 50 }],
    [
      'a switch nearly too long',
      SWITCHING,
      call({ waitedMs: 4_998 }),
      { kind: 'again', pauseMs: 2 },
    ],
    ['a switch too long', SWITCHING, call({ waitedMs: 5_000 }), { kind: 'fail' }],
    ['Redis away', NO_REDIS, call(), { kind: 'await-change', atMostMs: 1_000 }],
    [
      'Redis away, late',
      NO_REDIS,
      call({ waitedMs: 4_700 }),
      { kind: 'await-change', atMostMs: 300 },
    ],
    ['no witness', NO_WITNESS, call(), { kind: 'await-change', atMostMs: 1_000 }],
    ['Redis away for good', NO_REDIS, call({ degrades: false }), { kind: 'fail' }],
    ['Redis away from Postgres', NO_REDIS, call({ engine: 'reliable' }), { kind: 'fail' }],
    [
      'others that were faster',
      outpaced(),
      call({ engine: 'reliable' }),
      { kind: 'again', pauseMs: 5 },
    ],
    ['Postgres away', NO_POSTGRES, call(), { kind: 'fail' }],
    ['a full window', new NonceError('NONCE_IN_FLIGHT_LIMIT'), call(), { kind: 'fail' }],
  ])('%s', (_, error, rerouting, step) => {
    expect(decideReroute(error, rerouting)).toEqual(step);
  });

  it('is served as soon as the mode has changed', async () => {
    const clock = new FakeClock();
    let changed: (() => void) | undefined;
    const mode = {
      ...fixedMode(),
      waitForChange: () =>
        new Promise<ReturnType<typeof modeSnapshot>>((resolve) => {
          changed = () => {
            resolve(modeSnapshot({ mode: 'DEGRADED', epoch: 2 }));
          };
        }),
    };
    const reroute = new Reroute({ mode, clock }, { waitMs: 5_000, degrades: true });
    const engines = [{ name: 'performance' }, { name: 'reliable' }];
    const served = reroute.run(
      () => engines.shift()!,
      ({ name }) => (name === 'reliable' ? Promise.resolve(name) : Promise.reject(NO_REDIS)),
    );
    await new Promise(setImmediate);
    changed?.();
    expect(await served).toBe('reliable');
  });

  it('L11: waits for a switch as long as all others, however long it stood in a queue before', async () => {
    const clock = new FakeClock();
    const mode = { ...fixedMode(), waitForChange: () => Promise.resolve(modeSnapshot()) };
    const reroute = new Reroute({ mode, clock }, { waitMs: 500, degrades: true });
    const engines = [{ name: 'performance' }, { name: 'reliable' }];
    const served = reroute.run(
      () => engines.shift()!,
      async ({ name }) => {
        if (name === 'reliable') return name;
        await clock.sleep(5_000);
        throw NO_REDIS;
      },
    );
    const end = expect(served).resolves.toBe('reliable');
    await clock.advance(5_000);
    await end;
  });

  it('is told the error of the last engine when the wait is over', async () => {
    const clock = new FakeClock();
    const reroute = new Reroute({ mode: fixedMode(), clock }, { waitMs: 500, degrades: true });
    let asked = 0;
    const refused = reroute.run(
      () => ({ name: 'reliable' }),
      () => {
        asked += 1;
        return Promise.reject(SWITCHING);
      },
    );
    const end = expect(refused).rejects.toBe(SWITCHING);
    for (let i = 0; i < 200; i += 1) await clock.advance(5);
    await end;
    expect(asked).toBeLessThanOrEqual(20);
  });
});
