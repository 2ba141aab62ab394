import { EventLog } from './event-log';
import { EventRelay, type RelaySource } from './event-relay';

const relays: EventRelay[] = [];
afterEach(() => {
  for (const relay of relays.splice(0)) relay.onApplicationShutdown();
});

/** One relay with one source that counts its reads. */
function open(lingerMs: number) {
  const log = new EventLog({ onAny: () => () => undefined });
  const source: RelaySource & { place: number | null; broken: boolean } = {
    name: 'numbers',
    place: null,
    broken: false,
    begin: () => {
      source.place ??= 0;
      return Promise.resolve();
    },
    read: () => {
      if (source.broken) return Promise.reject(new Error('away'));
      source.place = (source.place ?? 0) + 1;
      log.add('number', source.place);
      return Promise.resolve();
    },
    end: () => {
      source.place = null;
    },
  };
  const warnings: unknown[] = [];
  const quiet = () => undefined;
  const warn = (...words: unknown[]) => warnings.push(words);
  const logger = { debug: quiet, info: quiet, warn, error: quiet };
  const relay = new EventRelay([source], log, logger, lingerMs);
  relays.push(relay);
  return { log, relay, source, warnings };
}

it('reads nothing before anybody listens, and for a while after the last one has gone', async () => {
  const { log, relay, source } = open(60_000);
  await relay.tick();
  expect(source.place).toBeNull();
  await relay.begin();
  const end = log.listen(() => undefined);
  await relay.tick();
  end();
  await relay.tick();
  expect(source.place).toBe(2);
});

it('gives up when nobody came back, and nobody goes on from an id of before', async () => {
  const { log, relay, source } = open(-1);
  await relay.begin();
  const ids: string[] = [];
  const end = log.listen(({ id }) => ids.push(id));
  log.add('other', 1);
  end();
  expect(log.after(ids[0] ?? '')).toEqual([]);
  await relay.tick();
  expect(source.place).toBeNull();
  expect(log.after(ids[0] ?? '')).toBeNull();
});

it('keeps its place while a source cannot be read, and says so', async () => {
  const { log, relay, source, warnings } = open(60_000);
  await relay.begin();
  log.listen(() => undefined);
  await relay.tick();
  source.broken = true;
  await relay.tick();
  expect([source.place, warnings.length]).toEqual([1, 1]);
  source.broken = false;
  await relay.tick();
  expect(source.place).toBe(2);
});
