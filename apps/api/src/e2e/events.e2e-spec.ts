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
  await api.database.pool.query(
    `INSERT INTO alarm (kind, subject, value, threshold) VALUES ('chain-lag', 'x', 60, 48)`,
  );
  const raised = await next('alarm.raised');
  expect(raised?.data).toMatchObject({ kind: 'chain-lag', runbook: 'docs/runbooks/chain-lag.md' });
  await api.database.pool.query('UPDATE alarm SET cleared_at = now()');
  expect((await next('alarm.cleared'))?.data).toMatchObject({ kind: 'chain-lag' });
});

it('tells what workers find out about transactions, from the moment on at which it answers', async () => {
  const { next } = await listen();
  const submitter = newSubmitter();
  const move = (from: string, to: string) =>
    api.database.pool.query(
      `INSERT INTO tracked_transition (allocation_id, submitter, nonce, from_stage, to_stage, stuck,
         tx_hash, block_number, reason)
       VALUES (gen_random_uuid(), $1, 7, $2::text::allocation_stage, $3::text::allocation_stage,
         false, '0x' || repeat('ab', 32), 12, 'a test')`,
      [submitter, from, to],
    );
  await move('BROADCAST', 'MINED');
  const included = await next('tx.included');
  expect(included?.data).toMatchObject({ submitter, nonce: 7, blockNumber: 12 });
  for (const stream of streams.splice(0)) stream.abort();
  // Nobody listens, and whoever comes back by its id misses nothing.
  await move('MINED', 'BROADCAST');
  await move('BROADCAST', 'MINED');
  const again = await listen(included?.id);
  expect((await again.next())?.event).toBe('allocation.transition');
  expect((await again.next())?.event).toBe('tx.reorged');
  expect((await again.next('tx.included'))?.data).toMatchObject({ submitter, nonce: 7 });
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
