import { decideReactions, type HealthFigures } from '../../src/module/fast/decide-reactions';
import { OPTION_DEFAULTS } from '../../src/module/option-defaults';

const WELL: HealthFigures = {
  mode: 'PERFORMANCE',
  database: { up: true, latencyMs: 2 },
  redis: { up: true, openShards: 0 },
  queued: 10_000,
  oldestEventAgeMs: 30_000,
  flushSuccessPercent: 50,
};

const react = (changed: Partial<HealthFigures>, onRedisFailure = true) =>
  decideReactions(
    { ...WELL, ...changed },
    { health: OPTION_DEFAULTS.health, degrade: { ...OPTION_DEFAULTS.degrade, onRedisFailure } },
  );

describe('decideReactions', () => {
  it('names nothing to do up to the thresholds, which it tells beside the values', () => {
    const reactions = react({});
    for (const { status, reaction } of Object.values(reactions)) {
      expect([status, reaction]).toEqual(['up', 'none']);
    }
    expect(reactions.queue).toMatchObject({ value: 10_000, threshold: 10_000 });
  });

  it.each([
    ['redis', { redis: { up: true, openShards: 1 } }, 'degraded', /becomes DEGRADED/],
    ['redis', { redis: { up: false, openShards: 64 } }, 'down', /becomes DEGRADED/],
    ['redis', { mode: 'DEGRADED' }, 'up', /until Redis was clean/],
    [
      'redis',
      { mode: 'RELIABLE', redis: { up: false, openShards: 0 } },
      'down',
      /without the lock/,
    ],
    ['queue', { queued: 10_001 }, 'degraded', /start flush workers/],
    ['queue', { queued: 1, oldestEventAgeMs: 30_001 }, 'degraded', /start flush workers/],
    ['flush', { flushSuccessPercent: 49 }, 'degraded', /tried again/],
    ['database', { database: { up: false, latencyMs: null } }, 'down', /not ready/],
    ['database', { database: { up: true, latencyMs: 501 } }, 'degraded', /callers wait/],
  ] as const)('tells of %s beyond it: %j', (part, changed, status, reaction) => {
    expect(react(changed)[part]).toMatchObject({
      status,
      reaction: expect.stringMatching(reaction) as string,
    });
  });

  it('says that calls are refused where degrading is off', () => {
    const { redis } = react({ redis: { up: false, openShards: 64 } }, false);
    expect(redis.reaction).toMatch(/refused/);
  });

  it('takes what is not known for neither well nor ill', () => {
    const { queue, flush, redis } = react({ queued: null, flushSuccessPercent: null, redis: null });
    expect([queue.status, flush.status, redis.status]).toEqual(['unknown', 'unknown', 'unused']);
  });
});
