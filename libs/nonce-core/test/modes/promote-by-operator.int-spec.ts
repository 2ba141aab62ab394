import type { NonceError } from '../../src/domain/errors/nonce-error';
import { parseSubmitter } from '../../src/domain/submitter';
import { MIRROR_REPORT } from '../../src/module/tokens';
import type { MirrorReport } from '../../src/ports/mirror.port';
import type { PreflightCheck } from '../../src/ports/mode-switch.port';
import { FastKeys } from '../../src/redis/fast-keys';
import { newSubmitter } from '../support/store-fixture';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { openTestRedis, type TestRedis } from '../support/test-redis';
import { waitFor } from '../support/wait-for';
import { openModeHost, type ModeHost } from './mode-host';

let database: TestDatabase;
let redis: TestRedis;
let host: ModeHost;
beforeEach(async () => {
  [database, redis] = await Promise.all([openTestDatabase(), openTestRedis()]);
  host = await openModeHost(database, redis, { mode: 'DUAL_WRITE' });
});
afterEach(async () => {
  await host.close();
  await Promise.all([database.close(), redis.close()]);
});

async function comparedInStep(): Promise<boolean> {
  const report = host.app.get<MirrorReport>(MIRROR_REPORT, { strict: false });
  const now = await report.divergence();
  return now?.inStep === true && now.compared === 1;
}

it('S1: from DUAL_WRITE an operator comes to PERFORMANCE only while the mirror is in step', async () => {
  const submitter = newSubmitter();
  const held = await host.nonces.allocate(submitter, { count: 3 });
  await waitFor(comparedInStep, { describe: 'the comparator has found the mirror in step' });
  const key = new FastKeys({ prefix: redis.prefix }).mirror(parseSubmitter(submitter));
  const truth = (await redis.client.hget(key, '1'))!;
  // Again and again, since the comparator repairs what it finds.
  const refusal = await waitFor(
    async () => {
      await redis.client.hset(key, '1', truth.replace(held[1]!.id, held[0]!.id));
      if (await comparedInStep()) return false;
      return host.switchTo('PERFORMANCE').then(
        () => {
          throw new Error('PERFORMANCE was entered with a mirror out of step');
        },
        (error: unknown) => error,
      );
    },
    { describe: 'the comparator has seen what was done to the mirror', everyMs: 20 },
  );
  expect(refusal).toMatchObject({
    code: 'NONCE_MODE_PREFLIGHT_FAILED',
    context: {
      from: 'DUAL_WRITE',
      to: 'PERFORMANCE',
      checks: expect.arrayContaining([
        expect.objectContaining({
          name: 'mirror-in-step',
          ok: false,
          detail: expect.stringMatching(/1 submitters compared, \d+ differences/),
          fix: 'Wait until the comparator has repaired the mirror.',
        }),
      ]),
    },
  });
  const { context } = refusal as NonceError;
  const checks = context['checks'] as readonly PreflightCheck[];
  expect(checks.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(['mirror-in-step']);
  expect(await host.store.read()).toMatchObject({ mode: 'DUAL_WRITE', epoch: 1 });
  await waitFor(comparedInStep, { describe: 'the comparator has repaired the mirror' });
  expect(await redis.client.hget(key, '1')).toContain(held[1]!.id);
  const { checks: passed, switch: made } = await host.switchTo('PERFORMANCE');
  expect(made).toMatchObject({ from: 'DUAL_WRITE', to: 'PERFORMANCE', automatic: false });
  expect(passed).toContainEqual(expect.objectContaining({ name: 'mirror-in-step', ok: true }));
  const [next] = await host.nonces.allocate(submitter);
  expect(next).toMatchObject({ nonce: 3, engine: 'performance' });
  expect(await host.nonces.markUsed(held[1]!)).toMatchObject({ nonce: 1, status: 'USED' });
});
