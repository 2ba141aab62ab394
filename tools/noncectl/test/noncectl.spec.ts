import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { noncectl, type Surroundings } from '../src/noncectl';
import { ScriptedApi, type Answer } from './scripted-api';

const AT = '2026-01-01T00:00:00.000Z';
const LATER = '2026-01-01T00:00:01.500Z';
const MODE = {
  mode: 'RELIABLE',
  epoch: 7,
  since: AT,
  ageMs: 90_000,
  by: 'alice',
  reason: 'first boot',
  pinned: false,
  returnTo: null,
  mayFollow: ['DUAL_WRITE', 'PERFORMANCE'],
  runningSwitch: null,
};
const PREFLIGHT = { phase: 'preflight', startedAt: AT, endedAt: AT, durationMs: 3, note: null };
const DRAIN = { phase: 'drain', startedAt: AT, endedAt: null, durationMs: null, note: null };
const BEGUN = {
  id: 12,
  from: 'PERFORMANCE',
  to: 'DRAIN',
  epoch: 8,
  by: 'alice',
  reason: 'upgrade of Redis',
  automatic: false,
  state: 'running',
  startedAt: AT,
  endedAt: null,
  phases: [PREFLIGHT, DRAIN],
  waitsFor: { events: 120, grants: 3, epochs: 2, deadlineAt: LATER },
};
const DONE = {
  ...BEGUN,
  state: 'done',
  endedAt: LATER,
  phases: [PREFLIGHT, { ...DRAIN, endedAt: LATER, durationMs: 1_500, note: '2 epochs parked' }],
  waitsFor: null,
};
const CHECKS = [
  { name: 'edge', ok: true, detail: 'RELIABLE may be left to PERFORMANCE', fix: null },
  { name: 'redis-persistence', ok: true, detail: 'appendonly is no', fix: 'set appendonly' },
  { name: 'redis-eviction', ok: false, detail: 'maxmemory-policy is allkeys-lru', fix: 'set it' },
];

const ok = (body: unknown): readonly Answer[] => [{ status: 200, body }];
const problem = (status: number, code: string, context = {}): readonly Answer[] => [
  {
    status,
    body: { code, detail: `about ${code}`, fix: `mend ${code}`, context, errors: [] },
  },
];

let api: ScriptedApi;
beforeAll(async () => {
  api = await ScriptedApi.start();
});
afterAll(() => api.stop());

/** Splits at spaces; `~` stands for one within a word. */
async function run(line: string, more: Partial<Surroundings> = {}) {
  let out = '';
  let err = '';
  const exitCode = await noncectl(
    line.split(' ').map((word) => word.replaceAll('~', ' ')),
    {
      environment: { NONCE_API_URL: api.url, NONCE_API_KEY: 'secret' },
      isTerminal: false,
      out: (text) => (out += text),
      err: (text) => (err += text),
      ...more,
    },
  );
  return { exitCode, out, err };
}

describe('noncectl mode', () => {
  it('shows what is in force, since when, by whom and what may follow', async () => {
    api.script({ 'GET /v1/ops/mode': ok(MODE) });
    const { exitCode, out, err } = await run('mode');
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
    expect(out).toMatch(/^mode +RELIABLE$/m);
    expect(out).toContain(`${AT} (1 min 30 s)`);
    expect(out).toMatch(/^by +alice: first boot$/m);
    expect(out).toMatch(/^may follow +DUAL_WRITE, PERFORMANCE$/m);
    expect(api.asked[0]?.headers.authorization).toBe('Bearer secret');
  });

  it('prints the answer as one JSON document with --json, wherever it stands', async () => {
    api.script({ 'GET /v1/ops/mode': ok(MODE) });
    for (const line of ['--json mode', 'mode --json']) {
      expect(JSON.parse((await run(line)).out)).toEqual(MODE);
    }
  });

  it('colours a terminal only, and not where NO_COLOR is set', async () => {
    api.script({ 'GET /v1/ops/mode': ok(MODE) });
    const environment = { NONCE_API_URL: api.url };
    const coloured = (await run('mode', { isTerminal: true, environment })).out;
    const plain = { isTerminal: true, environment: { ...environment, NO_COLOR: '1' } };
    expect(coloured).toContain('\u001b[');
    expect((await run('mode', plain)).out).not.toContain('\u001b[');
    expect((await run('mode')).out).not.toContain('\u001b[');
  });
});

describe('noncectl mode switch', () => {
  it('orders against the epoch in force, and says what goes on', async () => {
    api.script({
      'GET /v1/ops/mode': ok(MODE),
      'PUT /v1/ops/mode': [{ status: 202, body: BEGUN }],
    });
    const { exitCode, out } = await run('mode switch drain --reason upgrade~of~Redis');
    expect(exitCode).toBe(0);
    expect(api.asked[1]).toMatchObject({
      headers: { 'if-match': '"7"' },
      body: { mode: 'DRAIN', reason: 'upgrade of Redis' },
    });
    expect(out).toContain('switch 12: PERFORMANCE → DRAIN, epoch 8');
    expect(out).toContain('waits for 120 events, 3 grants, 2 epochs');
  });

  it('asks nobody which epoch is in force when one is given', async () => {
    api.script({ 'PUT /v1/ops/mode': [{ status: 202, body: DONE }] });
    await run('mode switch dual-write --reason x --if-epoch 5');
    expect(api.asked).toHaveLength(1);
    expect(api.asked[0]).toMatchObject({
      headers: { 'if-match': '"5"' },
      body: { mode: 'DUAL_WRITE' },
    });
  });

  it('shows each phase as it ends with --wait, and what a drain waits for', async () => {
    api.script({
      'GET /v1/ops/mode': ok(MODE),
      'PUT /v1/ops/mode': [{ status: 202, body: BEGUN }],
      'GET /v1/ops/mode/switches/12': [...ok(BEGUN), ...ok(DONE)],
    });
    const { exitCode, out } = await run('mode switch DRAIN --reason x --wait');
    expect(exitCode).toBe(0);
    expect(out.trimEnd().split('\n')).toEqual([
      'switch 12: PERFORMANCE → DRAIN, epoch 8',
      '  preflight  3 ms',
      `  waits for 120 events, 3 grants, 2 epochs; the rest is parked at ${LATER}`,
      '  drain      1.5 s  2 epochs parked',
      'done in 1.5 s',
    ]);
  });

  it('gives up waiting after --wait-ms, and the switch goes on', async () => {
    api.script({
      'PUT /v1/ops/mode': [{ status: 202, body: BEGUN }],
      'GET /v1/ops/mode/switches/12': ok(BEGUN),
    });
    const { exitCode, err } = await run(
      'mode switch DRAIN --reason x --if-epoch 7 --wait --wait-ms 1',
    );
    expect(exitCode).toBe(1);
    expect(err).toMatch(/NONCECTL_STILL_RUNNING.*it goes on\n +fix: /s);
  });

  it('ends with 5 when another switch took over while it waited', async () => {
    api.script({
      'PUT /v1/ops/mode': [{ status: 202, body: BEGUN }],
      'GET /v1/ops/mode/switches/12': ok({ ...DONE, state: 'aborted' }),
    });
    const { exitCode, err } = await run('mode switch DRAIN --reason x --if-epoch 7 --wait');
    expect(exitCode).toBe(5);
    expect(err).toContain('NONCECTL_SWITCH_ABORTED');
  });

  it('lists the checks of a dry run, failed ones first with their fix, and ends with 3', async () => {
    const answer = { mode: 'PERFORMANCE', epoch: 7, possible: false, checks: CHECKS };
    api.script({ 'PUT /v1/ops/mode': ok(answer) });
    const { exitCode, out } = await run(
      'mode switch PERFORMANCE --reason x --if-epoch 7 --dry-run',
    );
    expect(exitCode).toBe(3);
    expect(api.asked[0]?.body).toMatchObject({ dryRun: true });
    expect(out.split('\n').slice(0, 5)).toEqual([
      'failed   redis-eviction     maxmemory-policy is allkeys-lru',
      '                            fix: set it',
      'ok       edge               RELIABLE may be left to PERFORMANCE',
      'warning  redis-persistence  appendonly is no',
      '                            fix: set appendonly',
    ]);
  });

  it('ends a possible dry run with 0', async () => {
    const answer = { mode: 'PERFORMANCE', epoch: 7, possible: true, checks: [] };
    api.script({ 'PUT /v1/ops/mode': ok(answer) });
    const line = 'mode switch PERFORMANCE --reason x --if-epoch 7 --dry-run';
    expect((await run(line)).exitCode).toBe(0);
  });
});

describe('noncectl mode abort', () => {
  it('ends the running switch with a reason', async () => {
    api.script({ 'POST /v1/ops/mode/abort': ok({ ...DONE, state: 'aborted' }) });
    const { exitCode, out } = await run('mode abort --reason too~slow');
    expect(exitCode).toBe(0);
    expect(api.asked[0]?.body).toEqual({ reason: 'too slow' });
    expect(out).toContain('aborted after 1.5 s');
  });
});

describe('noncectl mode history', () => {
  it('lists switches and says how to read on', async () => {
    api.script({
      'GET /v1/ops/mode/switches?limit=2&before=20': ok({ items: [DONE], nextBefore: 12 }),
    });
    const { exitCode, out } = await run('mode history --limit 2 --before 20');
    expect(exitCode).toBe(0);
    expect(out).toContain('PERFORMANCE → DRAIN  done   1.5 s  alice  upgrade of Redis');
    expect(out).toContain('older: --before 12');
  });
});

describe('noncectl prefetch', () => {
  const SIZES = { size: 32, lowWater: 8, max: 1_024, tuned: false };

  it('shows the sizes and where they come from', async () => {
    api.script({ 'GET /v1/ops/prefetch': ok(SIZES) });
    expect((await run('prefetch')).out).toMatch(/^size +32 nonces$/m);
  });

  it('changes what is named and keeps the rest', async () => {
    api.script({ 'GET /v1/ops/prefetch': ok(SIZES), 'PUT /v1/ops/prefetch': ok(SIZES) });
    await run('prefetch set --low-water 16 --reason peak');
    expect(api.asked[1]?.body).toEqual({ size: 32, lowWater: 16, max: 1_024, reason: 'peak' });
  });
});

describe('noncectl reset', () => {
  const SUBMITTER = `eip155:31337:0x${'ab'.repeat(20)}`;
  const PATH = `/v1/submitters/${encodeURIComponent(SUBMITTER)}`;
  const ANSWER = {
    submitter: SUBMITTER,
    done: true,
    knownGenesis: '0x01',
    genesis: '0x02',
    generation: 2,
    epoch: 5,
    nextNonce: 7,
    kept: 1,
    ended: 3,
  };
  const script = (answer: object): void => {
    api.script({
      [`GET ${PATH}`]: ok({ submitter: SUBMITTER }),
      [`POST ${PATH}/reset`]: ok({ ...ANSWER, ...answer }),
    });
  };
  const asked = (): unknown => api.asked.find(({ method }) => method === 'POST')?.body;

  it('only says what it would do without --yes, and ends as wrongly used', async () => {
    script({ done: false });
    const { exitCode, out, err } = await run(`reset ${SUBMITTER} --reason new~chain`);
    expect({ exitCode, body: asked() }).toEqual({
      exitCode: 2,
      body: { reason: 'new chain', dryRun: true },
    });
    expect(out).toContain('starts at nonce 7, generation 2');
    expect(err).toContain('repeat with --yes');
  });

  it('is content with a dry run that was asked for, --yes or not', async () => {
    script({ done: false });
    const { exitCode } = await run(`reset ${SUBMITTER} --reason new --dry-run --yes`);
    expect({ exitCode, body: asked() }).toEqual({
      exitCode: 0,
      body: { reason: 'new', dryRun: true },
    });
  });

  it('names the submitter in full as its confirmation', async () => {
    script({});
    const { exitCode, out } = await run(`reset ${SUBMITTER} --reason new --yes`);
    expect({ exitCode, body: asked() }).toEqual({
      exitCode: 0,
      body: { reason: 'new', confirm: SUBMITTER },
    });
    expect(out).toContain('3 nonces of the old chain were never exposed; 1 may have been sent');
  });

  it('tells a conflict while the chain was not reset', async () => {
    api.script({
      [`GET ${PATH}`]: ok({ submitter: SUBMITTER }),
      [`POST ${PATH}/reset`]: problem(412, 'NONCE_PRECONDITION'),
    });
    expect((await run(`reset ${SUBMITTER} --reason new --yes`)).exitCode).toBe(5);
  });
});

describe('noncectl events', () => {
  const SUBMITTER = `eip155:31337:0x${'ab'.repeat(20)}`;
  const told = (id: string, event: string, data: object): string =>
    `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  const FINAL = told('a-2', 'tx.final', { submitter: SUBMITTER, nonce: 7 });
  const NOISE = told('a-1', 'mode.phase', { phase: 'done', mode: 'DRAIN' });

  it('shows what is asked for, one per line, and ends after a count', async () => {
    const other = told('a-3', 'tx.final', { submitter: 'eip155:1:0x00', nonce: 8 });
    api.script({ 'GET /v1/events': ok(`:\n\n${NOISE}${other}${FINAL}`) });
    const { exitCode, out } = await run(`events --name tx. --submitter ${SUBMITTER} --count 1`);
    expect(exitCode).toBe(0);
    expect(out).toMatch(new RegExp(`^\\S+Z tx.final submitter=${SUBMITTER} nonce=7\n$`));
  });

  it('goes on behind the last event after a lost connection, and says so', async () => {
    api.script({ 'GET /v1/events': [...ok(NOISE), ...ok(FINAL)] });
    const { exitCode, out, err } = await run('events --json --count 2 --after a-0');
    expect(exitCode).toBe(0);
    expect(err).toContain('connecting again');
    expect(api.asked.map(({ headers }) => headers['last-event-id'])).toEqual(['a-0', 'a-1']);
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines[1]).toEqual({
      id: 'a-2',
      event: 'tx.final',
      data: { submitter: SUBMITTER, nonce: 7 },
    });
  });

  it('always tells that something was missed', async () => {
    const reset = 'event: stream.reset\ndata: {"reason":"events were missed"}\n\n';
    api.script({ 'GET /v1/events': ok(reset) });
    const { out } = await run('events --name tx. --count 1 --after gone');
    expect(out).toContain('stream.reset reason=events were missed');
  });

  it('does not ask again when it is not let in', async () => {
    api.script({ 'GET /v1/events': problem(403, 'NONCE_FORBIDDEN') });
    const { exitCode, err } = await run('events');
    expect({ exitCode, asked: api.asked.length }).toEqual({ exitCode: 1, asked: 1 });
    expect(err).toContain('NONCE_FORBIDDEN');
  });
});

describe('noncectl status', () => {
  const health = { nonce: { status: 'up' }, redis: { status: 'down', detail: 'no answer' } };

  it.each([
    ['0 when all is well', 'RELIABLE', true, 0],
    ['3 when a part is not', 'RELIABLE', false, 3],
    ['3 while Redis is left', 'DEGRADED', true, 3],
  ])('ends with %s', async (_, mode, healthy, expected) => {
    api.script({ 'GET /v1/ops/overview': ok({ mode: { ...MODE, mode }, healthy, health }) });
    const { exitCode, out } = await run('status');
    expect(exitCode).toBe(expected);
    expect(out).toMatch(/^redis +down, detail no answer$/m);
  });
});

describe('docs/modes.md', () => {
  const page = readFileSync(resolve(__dirname, '../../../docs/modes.md'), 'utf8');
  const lines = [...page.matchAll(/(?:^|`)npx noncectl ([^\n`]+)/gm)].map(
    ([, words]) => words ?? '',
  );

  it('has command lines for each command', () => {
    expect(lines.length).toBeGreaterThan(10);
  });

  it.each(lines)('shows a line that is understood: noncectl %s', async (line) => {
    api.script({});
    const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word);
    const { exitCode, err } = await run(
      words.map((word) => (word ?? '').replaceAll(' ', '~')).join(' '),
    );
    // The scripted API knows nothing: what is understood reaches it, and no usage is complained of.
    expect(err).toContain('NONCECTL_NO_API');
    expect({ exitCode, asked: api.asked.length }).toEqual({ exitCode: 1, asked: 1 });
  });
});

describe('noncectl', () => {
  it.each([
    [1, 401, 'NONCE_UNAUTHENTICATED'],
    [1, 403, 'NONCE_FORBIDDEN'],
    [1, 503, 'NONCE_STORE_UNAVAILABLE'],
    [2, 400, 'NONCE_VALIDATION'],
    [4, 404, 'NONCE_NOT_FOUND'],
    [5, 412, 'NONCE_PRECONDITION'],
    [5, 409, 'NONCE_FENCED'],
  ])('ends with %i for HTTP %i, and prints code, detail and fix', async (code, status, name) => {
    api.script({ 'GET /v1/ops/mode': problem(status, name) });
    const { exitCode, out, err } = await run('mode');
    expect({ exitCode, out }).toEqual({ exitCode: code, out: '' });
    expect(err).toBe(`${name}: about ${name}\n  fix: mend ${name}\n`);
  });

  it('ends with 3 and a table of checks when a preflight refuses', async () => {
    const refused = problem(409, 'NONCE_MODE_PREFLIGHT_FAILED', { checks: CHECKS });
    api.script({ 'PUT /v1/ops/mode': refused });
    const { exitCode, err } = await run('mode switch PERFORMANCE --reason x --if-epoch 1');
    expect(exitCode).toBe(3);
    expect(err).toMatch(/failed +redis-eviction +maxmemory-policy is allkeys-lru/);
    expect(err).toContain('fix: set it');
  });

  it('prints failures as JSON with --json', async () => {
    api.script({ 'GET /v1/ops/mode': problem(404, 'NONCE_NOT_FOUND', { a: 1 }) });
    expect(JSON.parse((await run('mode --json')).err)).toEqual({
      error: {
        code: 'NONCE_NOT_FOUND',
        detail: 'about NONCE_NOT_FOUND',
        fix: 'mend NONCE_NOT_FOUND',
        context: { a: 1 },
      },
    });
  });

  it('ends with 6 when nothing answers', async () => {
    const gone = await ScriptedApi.start();
    const { url } = gone;
    await gone.stop();
    const { exitCode, err } = await run(`mode --url ${url}`);
    expect(exitCode).toBe(6);
    expect(err).toMatch(/^NONCECTL_UNREACHABLE: .*ECONNREFUSED/);
  });

  it('ends with 1 when something else than an API answers', async () => {
    api.script({ 'GET /v1/ops/mode': ok('<html>') });
    const { exitCode, err } = await run('mode');
    expect(exitCode).toBe(1);
    expect(err).toContain('NONCECTL_NO_API');
  });

  it.each([
    'submitters',
    'mode nope',
    'mode switch',
    'mode switch RELIABLE',
    'mode switch NOPE --reason x',
    'mode switch RELIABLE PERFORMANCE --reason x',
    `mode switch RELIABLE --reason ${'x'.repeat(501)}`,
    'mode switch RELIABLE --reason x --if-epoch 1e3',
    'mode history --limit -1',
    'mode --nope',
    'mode --url nonsense',
    'prefetch set --size many',
  ])('ends with 2 and asks no server for `%s`', async (line) => {
    api.script({});
    const { exitCode, out, err } = await run(line);
    expect({ exitCode, out, asked: api.asked }).toEqual({ exitCode: 2, out: '', asked: [] });
    expect(err).not.toBe('');
  });

  it('ends with 0 when asked for help, and with 2 when asked for nothing', async () => {
    const help = await run('--help');
    expect(help.exitCode).toBe(0);
    expect(help.out).toContain('Exit codes: 0 ok');
    const nothing = await noncectl([], {
      environment: {},
      isTerminal: false,
      out: () => undefined,
      err: () => undefined,
    });
    expect(nothing).toBe(2);
  });

  it('reads the key from a file, and says so when it cannot', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'noncectl-'));
    try {
      const file = join(folder, 'key');
      writeFileSync(file, 'from-a-file\n');
      api.script({ 'GET /v1/ops/mode': ok(MODE) });
      const environment = { NONCE_API_URL: api.url, NONCE_API_KEY_FILE: file };
      await run('mode', { environment });
      expect(api.asked[0]?.headers.authorization).toBe('Bearer from-a-file');
      const missing = { ...environment, NONCE_API_KEY_FILE: join(folder, 'none') };
      const { exitCode, err } = await run('mode', { environment: missing });
      expect(exitCode).toBe(2);
      expect(err).toContain('NONCE_API_KEY_FILE');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('noncectl reconcile', () => {
  const counts = {
    ...{ submitters: 5, unknown: 0, behind: 1, raised: 2, foreignUse: 3 },
    ...{ fenced: 0, finalized: 4, stuck: 0, unconfigured: 0, failed: 0 },
  };
  const begun = { id: 'r1', state: 'running', scope: 'all', dryRun: false, total: 10, counts };
  const path = '/v1/ops/reconcile';

  it('orders it, shows how far it is, and reports', async () => {
    api.script({
      [`POST ${path}`]: [{ status: 202, body: { ...begun, problems: [] } }],
      [`GET ${path}/r1`]: ok({ ...begun, state: 'done', problems: [] }),
    });
    const { exitCode, out, err } = await run('reconcile --all --reason a~restore');
    expect(exitCode).toBe(0);
    expect(api.asked[0]?.body).toEqual({ scope: 'all', reason: 'a restore', dryRun: false });
    expect(err).toContain('[##########----------] 50 %  5 of 10 submitters');
    expect(out).toContain('5 submitters reconciled (done)');
    expect(out).toContain('1 behind');
  });

  it('ends with 3 when submitters failed, and names them', async () => {
    const problems = [{ submitter: 'eip155:1:0xab', code: 'NONCE_CHAIN_UNREACHABLE' }];
    const counted = { counts: { ...counts, failed: 1 }, dryRun: true };
    const body = { ...begun, state: 'done', problems, ...counted };
    api.script({ [`POST ${path}`]: [{ status: 202, body }] });
    const { exitCode, out } = await run('reconcile --hot --dry-run --reason x');
    expect(exitCode).toBe(3);
    expect(out).toContain('eip155:1:0xab NONCE_CHAIN_UNREACHABLE');
    expect(out).toContain('nothing was changed');
  });

  it('reconciles one submitter at once', async () => {
    const submitter = `eip155:1:0x${'ab'.repeat(20)}`;
    const found = { submitter, dryRun: true, behindWitness: true, chainLatest: 9, ...counts };
    const at = `/v1/submitters/${encodeURIComponent(submitter)}/reconcile`;
    api.script({ [`POST ${at}`]: ok(found) });
    const { exitCode, out } = await run(`reconcile --submitter ${submitter} --dry-run --reason x`);
    expect(exitCode).toBe(0);
    expect(api.asked[0]?.body).toEqual({ reason: 'x', dryRun: true });
    expect(out).toContain('looked at, nothing was changed');
    expect(out).toContain('floor 9, 3 nonces used by others');
    expect(out).toContain('the database is behind it');
  });

  it('asks which submitters are meant before it asks a server', async () => {
    api.script({});
    const both = 'reconcile --hot --submitter 0x00 --reason x';
    for (const line of ['reconcile --reason x', 'reconcile --all --hot --reason x', both]) {
      expect(await run(line)).toMatchObject({ exitCode: 2 });
    }
    expect(api.asked).toHaveLength(0);
  });
});
