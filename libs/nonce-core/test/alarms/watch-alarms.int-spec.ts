import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WatchAlarms } from '../../src/alarms/watch-alarms';
import type { Alarm, AlarmThresholds } from '../../src/domain/alarm';
import { WebhookAlarmSink } from '../../src/module/alarms/webhook-alarm-sink';
import type { AlarmSink } from '../../src/ports/alarm.port';
import type { HealthProbe } from '../../src/ports/health.port';
import { NO_METRICS } from '../../src/ports/metrics.port';
import { PostgresAlarmStore } from '../../src/postgres/postgres-alarm-store';
import { TrackingBench } from '../tracking/tracking-bench';

const NEVER = 1e12;
const QUIET: AlarmThresholds = {
  'reserved-age': NEVER,
  'recyclable-growth': NEVER,
  'chain-lag': NEVER,
  alignment: NEVER,
  degraded: NEVER,
};

let bench: TrackingBench;
let told: { readonly state: Alarm['state']; readonly kind: string; readonly value: number }[];
beforeEach(async () => {
  bench = await TrackingBench.open();
  told = [];
});
afterEach(() => bench.close());

const listening: AlarmSink = {
  name: 'test',
  deliver: ({ state, kind, value }) => {
    told.push({ state, kind, value });
    return Promise.resolve();
  },
};

/** Another call is another worker. */
function worker(
  thresholds: Partial<AlarmThresholds>,
  sinks: readonly AlarmSink[] = [listening],
  { claimMs = 60_000, redis = null }: { claimMs?: number; redis?: HealthProbe | null } = {},
): WatchAlarms {
  const { chains, events } = bench.deps();
  const quiet = () => undefined;
  const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const store = new PostgresAlarmStore(bench.fixture.runner);
  const deps = { store, redis, sinks, chains, events, metrics: NO_METRICS, logger };
  return new WatchAlarms(deps, { ...QUIET, ...thresholds }, claimMs);
}

const sql = (text: string) => bench.fixture.database.pool.query(text);

it('is raised once by two workers at once, told once, and cleared once', async () => {
  await bench.grant(3);
  const workers = [worker({ 'chain-lag': 3 }), worker({ 'chain-lag': 3 })];
  const ticks = () => Promise.all(workers.map((each) => each.tick()));
  await ticks();
  await ticks();
  const { rows } = await sql('SELECT kind, subject, value::int, cleared_at FROM alarm');
  expect(rows).toEqual([
    { kind: 'chain-lag', subject: bench.submitter, value: 3, cleared_at: null },
  ]);
  expect(told.map(({ state }) => state)).toEqual(['raised']);
  await sql('UPDATE submitter_nonce_state SET chain_latest_count = 3');
  await ticks();
  await ticks();
  expect((await sql('SELECT FROM alarm WHERE cleared_at IS NULL')).rowCount).toBe(0);
  await ticks();
  expect(told.map(({ state }) => state)).toEqual(['raised', 'cleared']);
  expect(bench.events).toEqual(expect.arrayContaining(['alarm.raised', 'alarm.cleared']));
});

it('measures reserved age, free nonces, alignment and degradation', async () => {
  const [one] = await bench.grant(2);
  if (one === undefined) throw new Error('no grant');
  await bench.tell(one, 'recyclable');
  await sql(`UPDATE submitter_nonce_state SET aligned_at = now() - interval '1 hour'`);
  await sql('ALTER TABLE engine_mode DISABLE TRIGGER USER');
  await sql(`UPDATE engine_mode SET mode = 'DEGRADED', since = now() - interval '1 min'`);
  const all = { 'reserved-age': 0, 'recyclable-growth': 1, alignment: 3_600_000, degraded: 60_000 };
  await worker(all).tick();
  expect(told.map(({ kind }) => kind).sort()).toEqual(Object.keys(all).sort());
  expect(told.find(({ kind }) => kind === 'recyclable-growth')?.value).toBe(1);
});

describe('a Redis that is away in a mode that goes on without it', () => {
  const probe = (isUp: () => boolean): HealthProbe => ({
    store: 'redis',
    check: () => Promise.resolve({ store: 'redis', up: isUp(), latencyMs: 1, detail: null }),
  });
  const watching = (isUp: () => boolean) =>
    worker({ degraded: 60_000 }, [listening], { redis: probe(isUp) });
  const open = async () => {
    const { rows } = await sql('SELECT kind, subject FROM alarm WHERE cleared_at IS NULL');
    return rows;
  };

  it('is told of once any worker missed it for long, and cleared when all reach it', async () => {
    let up = false;
    const workers = [watching(() => up), watching(() => true)];
    const ticks = async () => {
      for (const each of workers) await each.tick();
    };
    await ticks();
    expect(await open()).toEqual([]);
    await sql(`UPDATE redis_report SET down_since = down_since - interval '1 min'`);
    await ticks();
    await ticks();
    expect(await open()).toEqual([{ kind: 'degraded', subject: 'redis' }]);
    up = true;
    await ticks();
    expect(await open()).toEqual([]);
    expect(told.map(({ state }) => state)).toEqual(['raised', 'cleared']);
  });

  it('is believed no worker that reports no more', async () => {
    await watching(() => false).tick();
    await sql(`UPDATE redis_report SET down_since = down_since - interval '1 hour',
      reported_at = reported_at - interval '2 min'`);
    await watching(() => true).tick();
    expect(await open()).toEqual([]);
  });
});

describe('a webhook', () => {
  let server: Server;
  let url: string;
  const received: { readonly body: string; readonly signature: string }[] = [];
  let failures = 0;
  beforeEach(async () => {
    received.length = 0;
    server = createServer((request, response) => {
      void bodyOf(request).then((body) => {
        received.push({ body, signature: String(request.headers['x-noncekit-signature']) });
        failures -= 1;
        response.writeHead(failures >= 0 ? 500 : 204).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  it('is asked again by any worker until it takes the alarm, signed', async () => {
    failures = 2;
    await bench.grant(3);
    const sink = new WebhookAlarmSink({ url, secret: 'a secret' });
    for (let tick = 0; tick < 4; tick += 1)
      await worker({ 'chain-lag': 3 }, [sink], { claimMs: 0 }).tick();
    expect(received).toHaveLength(3);
    const [{ body, signature }] = received as [(typeof received)[number]];
    expect(JSON.parse(body)).toMatchObject({
      ...{ kind: 'chain-lag', subject: bench.submitter, value: 3, threshold: 3, state: 'raised' },
      runbook: 'docs/runbooks/chain-lag.md',
    });
    const digest = createHmac('sha256', 'a secret').update(body).digest('hex');
    expect(signature).toBe(`sha256=${digest}`);
  });

  it('that is not there keeps no tick from ending', async () => {
    await bench.grant(3);
    const sink = new WebhookAlarmSink({ url: 'http://127.0.0.1:1/', secret: null });
    await worker({ 'chain-lag': 3 }, [sink, listening]).tick();
    expect(told).toHaveLength(1);
    expect((await sql('SELECT FROM alarm WHERE raised_told_at IS NULL')).rowCount).toBe(1);
  });
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}
