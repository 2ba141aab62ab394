import type { EngineMode } from '../../src/domain/engine-mode';
import { Preflight } from '../../src/modes/preflight';
import type { PreflightSources } from '../../src/modes/preflight-sources';
import { PREFLIGHT_TABLE } from '../../src/modes/preflight-table';
import { SYSTEM_CLOCK } from '../support/fast-engine';

const REDIS: NonNullable<PreflightSources['redis']> = {
  canary: () => Promise.resolve(),
  settings: () => Promise.resolve({ problems: [], warnings: [] }),
  queued: () => Promise.resolve(0),
};

const HEALTHY: PreflightSources = {
  redis: REDIS,
  continuity: () => ({ isHeld: false, reason: null }),
  flushers: () => Promise.resolve(1),
  mirror: () => Promise.resolve({ inStep: true, detail: '10 submitters compared' }),
  databaseProblems: () => Promise.resolve([]),
};

const down = (): Promise<never> => Promise.reject(new Error('connection refused'));

function run(from: EngineMode, to: EngineMode, sources: Partial<PreflightSources> = {}) {
  return new Preflight({ ...HEALTHY, ...sources }, SYSTEM_CLOCK).run({ from, to });
}

describe('the preflight of a switch', () => {
  it('passes where everything is well, and then names nothing to do', async () => {
    const checks = await run('DUAL_WRITE', 'PERFORMANCE');
    expect(checks.map(({ name }) => name)).toEqual(PREFLIGHT_TABLE.map(({ name }) => name));
    expect(checks.filter(({ ok, fix }) => !ok || fix !== null)).toEqual([]);
  });

  const failing: readonly (readonly [string, Partial<PreflightSources>])[] = [
    ['redis-configured', { redis: null }],
    ['redis-healthy', { redis: { ...REDIS, canary: down } }],
    [
      'redis-eviction',
      {
        redis: {
          ...REDIS,
          settings: () => Promise.resolve({ problems: ['allkeys-lru'], warnings: [] }),
        },
      },
    ],
    ['continuity', { continuity: () => ({ isHeld: true, reason: 'nobody vouches' }) }],
    ['continuity', { continuity: () => null }],
    ['queue-empty', { redis: { ...REDIS, queued: () => Promise.resolve(7) } }],
    ['mirror-in-step', { mirror: () => Promise.resolve({ inStep: false, detail: '2 differ' }) }],
    ['mirror-in-step', { mirror: () => Promise.resolve(null) }],
    ['flush-worker-alive', { flushers: () => Promise.resolve(0) }],
    ['flush-worker-alive', { flushers: down }],
    ['database', { databaseProblems: () => Promise.resolve(['fsync is off']) }],
  ];
  it.each(failing)('refuses with %s failing, and says what to do', async (name, sources) => {
    const failed = (await run('DUAL_WRITE', 'PERFORMANCE', sources)).filter(({ ok }) => !ok);
    expect(failed.map((check) => check.name)).toContain(name);
    for (const { fix } of failed) expect(fix).toMatch(/\w{3}/);
  });

  it.each([
    ['RELIABLE', 'DRAIN'],
    ['PERFORMANCE', 'PERFORMANCE'],
    ['DRAIN', 'DUAL_WRITE'],
  ] as const)('refuses the edge %s → %s', async (from, to) => {
    const [edge] = await run(from, to);
    expect(edge).toMatchObject({ name: 'edge', ok: false });
    expect(edge?.fix).toMatch(/\w{3}/);
  });

  it.each(['RELIABLE', 'DRAIN'] as const)(
    'lets a Redis that is lost be left for %s, whatever else is wrong',
    async (to) => {
      const checks = await run('PERFORMANCE', to, {
        redis: { canary: down, settings: down, queued: down },
        continuity: () => null,
        flushers: down,
        mirror: down,
        databaseProblems: () => Promise.resolve(['fsync is off']),
      });
      expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    },
  );

  it('warns of a Redis that forgets, and does not refuse it', async () => {
    const settings = () => Promise.resolve({ problems: [], warnings: ['appendonly is no'] });
    const checks = await run('RELIABLE', 'PERFORMANCE', { redis: { ...REDIS, settings } });
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    const persistence = checks.find(({ name }) => name === 'redis-persistence');
    expect(persistence).toMatchObject({ detail: 'appendonly is no' });
    expect(persistence?.fix).toMatch(/appendonly yes/);
  });

  it('does not wait for a source that never answers', async () => {
    const never = () => new Promise<never>(() => undefined);
    const checks = await run('RELIABLE', 'PERFORMANCE', { redis: { ...REDIS, canary: never } });
    const healthy = checks.find(({ name }) => name === 'redis-healthy');
    expect(healthy).toMatchObject({ ok: false, detail: 'no answer within 2000 ms' });
  });
});
