import { SchedulerRegistry } from '@nestjs/schedule';
import { PeriodicJob, type JobPlan } from '../../src/module/tracking/periodic-job';
import { PeriodicJobs } from '../../src/module/tracking/periodic-jobs';
import { NO_METRICS, type Metrics } from '../../src/ports/metrics.port';
import { FakeClock } from '../../src/testing/fake-clock';

const quiet = (): void => undefined;
const silent = { debug: quiet, info: quiet, warn: quiet, error: quiet };

function jobOf(run: JobPlan['run'], counted: string[] = [], clock = new FakeClock()): PeriodicJob {
  const count = (name: string, labels: object): void => {
    counted.push(`${name} ${JSON.stringify(labels)}`);
  };
  const metrics: Metrics = { ...NO_METRICS, count };
  return new PeriodicJob(
    { name: 'sweep', intervalMs: 1_000, run },
    { clock, metrics, logger: silent },
  );
}

/** Work that ends when the test says so. */
function gate(): { readonly run: () => Promise<void>; open(): void; begun: number } {
  const waiting: (() => void)[] = [];
  const work = {
    begun: 0,
    run: () => {
      work.begun += 1;
      return new Promise<void>((resolve) => waiting.push(resolve));
    },
    open: () => {
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
  return work;
}

it('ticks of one job never overlap', async () => {
  const work = gate();
  const job = jobOf(work.run);
  const ticks = [job.tick(), job.tick(), job.tick()];
  expect(work.begun).toBe(1);
  work.open();
  await Promise.all(ticks);
  const next = job.tick();
  expect(work.begun).toBe(2);
  work.open();
  await next;
});

it('one that is woken while it works looks once more afterwards, however often it was woken', async () => {
  const work = gate();
  const job = jobOf(work.run);
  job.wake();
  for (let times = 0; times < 3; times += 1) job.wake();
  expect(work.begun).toBe(1);
  const first = job.tick();
  work.open();
  await first;
  expect(work.begun).toBe(2);
  const second = job.tick();
  work.open();
  await second;
  expect(work.begun).toBe(2);
});

it('a failed tick is counted and told, and the next one comes all the same', async () => {
  const counted: string[] = [];
  let failures = 1;
  const job = jobOf(async () => {
    failures -= 1;
    if (failures >= 0) throw new Error('the database is away');
  }, counted);
  await job.tick();
  expect(job.health()).toMatchObject({ up: true, failure: 'the database is away' });
  await job.tick();
  expect(job.health().failure).toBeUndefined();
  expect(counted).toEqual([
    'nonce_worker_ticks_total {"job":"sweep","result":"failed"}',
    'nonce_worker_ticks_total {"job":"sweep","result":"done"}',
  ]);
});

it('a failure that lasts is logged once, and its end too', async () => {
  const said: string[] = [];
  const logger = {
    ...silent,
    error: (text: string) => void said.push(text),
    info: (text: string) => void said.push(text),
  };
  let failing = true;
  const run = async (): Promise<void> => {
    if (failing) throw new Error('Redis is away');
  };
  const plan = { name: 'sweep', intervalMs: 1_000, run };
  const job = new PeriodicJob(plan, { clock: new FakeClock(), metrics: NO_METRICS, logger });
  for (let tick = 0; tick < 5; tick += 1) await job.tick();
  failing = false;
  for (let tick = 0; tick < 2; tick += 1) await job.tick();
  expect(said).toEqual(['a periodic job failed', 'a periodic job works again']);
});

it('what a job holds is given back after its last tick, and a failure of that ends nothing', async () => {
  const steps: string[] = [];
  const plan = {
    name: 'flush',
    intervalMs: 1_000,
    run: async () => void steps.push('tick'),
    end: async () => {
      steps.push('end');
      throw new Error('the database is away');
    },
  };
  const observers = { clock: new FakeClock(), metrics: NO_METRICS, logger: silent };
  const job = new PeriodicJob(plan, observers);
  const running = job.tick();
  await job.drain();
  await running;
  expect(steps).toEqual(['tick', 'end']);
});

it('a job that hangs is reported as down', async () => {
  const clock = new FakeClock();
  const work = gate();
  const job = jobOf(work.run, [], clock);
  const hanging = job.tick();
  await clock.advance(59_000);
  expect(job.health().up).toBe(true);
  await clock.advance(2_000);
  expect(job.health().up).toBe(false);
  expect(new PeriodicJobs(new SchedulerRegistry(), [job], silent, 0).check('jobs')).toMatchObject({
    jobs: { status: 'down' },
  });
  work.open();
  await hanging;
});

describe('a shutdown', () => {
  it('begins no more ticks, aborts the signal, and waits for what runs', async () => {
    const work = gate();
    let aborted = false;
    const job = jobOf((signal) => {
      signal.addEventListener('abort', () => {
        aborted = true;
        work.open();
      });
      return work.run();
    });
    const jobs = new PeriodicJobs(new SchedulerRegistry(), [job], silent, 1_000);
    jobs.onApplicationBootstrap();
    expect(work.begun).toBe(1);
    jobs.onModuleDestroy();
    expect(jobs.isDraining).toBe(true);
    await jobs.beforeApplicationShutdown();
    expect(aborted).toBe(true);
    await job.tick();
    expect(work.begun).toBe(1);
  });

  it('ends at its deadline although a job hangs, and says so', async () => {
    const work = gate();
    const job = jobOf(work.run);
    const jobs = new PeriodicJobs(new SchedulerRegistry(), [job], silent, 10);
    const hanging = job.tick();
    expect(await jobs.stop(10)).toBe(false);
    work.open();
    await hanging;
    expect(await jobs.stop(10)).toBe(true);
  });
});
