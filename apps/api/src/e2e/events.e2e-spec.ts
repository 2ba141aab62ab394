import { startApi, type ApiFixture } from './support/api-fixture';
import { newSubmitter } from './support/new-submitter';

interface Told {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

let api: ApiFixture;
let key: string;
const streams: AbortController[] = [];
beforeAll(async () => {
  api = await startApi();
  key = await api.createKey('events', ['nonce:read', 'nonce:allocate']);
});
afterEach(() => {
  for (const stream of streams.splice(0)) stream.abort();
});
afterAll(() => api.close());

/** Connected when this resolves; each call of `next` waits for one event of that name. */
async function listen(lastId?: string) {
  const stop = new AbortController();
  streams.push(stop);
  const headers = {
    authorization: `Bearer ${key}`,
    ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
  };
  const { publicUrl } = api.server.addresses;
  const answer = await fetch(`${publicUrl}/v1/events`, { headers, signal: stop.signal });
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  let text = '';
  const read = async (): Promise<string | null> => {
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end >= 0) {
        const block = text.slice(0, end);
        text = text.slice(end + 2);
        return block;
      }
      const { done, value } = await reader.read();
      if (done) return null;
      text += new TextDecoder().decode(value);
    }
  };
  await read();
  const next = async (wanted?: string): Promise<Told | null> => {
    for (let block = await read(); block !== null; block = await read()) {
      if (block.startsWith(':')) continue;
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s)));
      const { id = '', event = '', data = '{}' } = fields as Record<string, string>;
      if (wanted === undefined || event === wanted) return { id, event, data: JSON.parse(data) };
    }
    return null;
  };
  return { answer, next };
}

async function allocate(): Promise<string> {
  const submitter = newSubmitter();
  const answer = await api.call(`/v1/submitters/${submitter}/allocations`, { body: {}, key });
  expect(answer.status).toBe(201);
  return submitter;
}

it('tells what happens here, as it happens, and what was missed since an id', async () => {
  const { answer, next } = await listen();
  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  const first = await allocate();
  const told = await next('allocation.transition');
  expect(told?.data).toMatchObject({ submitter: first, nonce: 0, to: 'GRANTED' });
  const second = await allocate();
  const again = await listen(told?.id);
  expect((await again.next('allocation.transition'))?.data).toMatchObject({ submitter: second });
});

it('says so when what was missed is not known here', async () => {
  for (const lastId of ['of-another-server', '1-1', 'x'.repeat(1_000)]) {
    const { next } = await listen(lastId);
    expect(await next()).toMatchObject({ event: 'stream.reset' });
  }
});

it('tells alarms that workers raise and clear', async () => {
  const { next } = await listen();
  const reset = await listen();
  // The relay remembers its instant at its first look with a listener.
  const insert = (subject: string) =>
    api.database.pool.query(
      `INSERT INTO alarm (kind, subject, value, threshold) VALUES ('chain-lag', $1, 60, 48)`,
      [subject],
    );
  let count = 0;
  const inserting = setInterval(() => void insert(`s${(count += 1)}`), 200);
  const raised = await next('alarm.raised');
  clearInterval(inserting);
  expect(raised?.data).toMatchObject({ kind: 'chain-lag', runbook: 'docs/runbooks/chain-lag.md' });
  await api.database.pool.query('UPDATE alarm SET cleared_at = now()');
  expect((await reset.next('alarm.cleared'))?.data).toMatchObject({ kind: 'chain-lag' });
});

it('ends at a shutdown, which does not wait for it', async () => {
  const own = await startApi();
  const reader = await own.createKey('reader', ['nonce:read']);
  const answer = await fetch(`${own.server.addresses.publicUrl}/v1/events`, {
    headers: { authorization: `Bearer ${reader}` },
  });
  const ended = answer.text();
  expect(await own.server.stop(5_000)).toBe(true);
  expect(await ended).toMatch(/^:/);
  await own.close().catch(() => undefined);
});
