import type { ApiScope } from '@noncekit/nonce-core';

/** One route with a request that would be fine, from which bad ones are made. */
export interface RouteCase {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly scope: ApiScope;
  /** A valid body; absent for routes that take none. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** Fields with the values each of them must refuse. */
  readonly badFields?: Readonly<Record<string, readonly unknown[]>>;
  readonly badQueries?: readonly string[];
}

const HASH = `0x${'ab'.repeat(32)}`;
const LONG_TEXT = 'x'.repeat(501);
const BAD_INTEGERS = [-1, 1.5, '1', true, null, [], 2 ** 53];
const BAD_TTLS = [...BAD_INTEGERS, 0, 999, 86_400_001];
const BAD_HASHES = [null, 1, '', '0x12', HASH.slice(2), `${HASH}00`, HASH.replace('ab', 'zz')];
const BAD_NOTES = [null, 1, '', LONG_TEXT, 'a\u0000b', {}];

/** Every holder command may say where its allocation stands. */
const BAD_PLACES = {
  nonce: BAD_INTEGERS,
  epoch: [...BAD_INTEGERS, 0],
  submitter: [null, 1, '', 'eip155:1:0x12', 'eip155:0x1:0x' + 'ab'.repeat(20)],
};

const allocation = (command: string, rest: Partial<RouteCase>): RouteCase => ({
  method: 'POST',
  path: `/v1/allocations/:id/${command}`,
  scope: 'nonce:allocate',
  ...rest,
});

const operation = (name: string): RouteCase => ({
  method: 'POST',
  path: `/v1/submitters/:submitter/${name}`,
  scope: 'ops:write',
  body: { reason: 'a test' },
  badFields: { reason: [...BAD_NOTES, undefined] },
});

const read = (path: string, badQueries: readonly string[] = []): RouteCase => ({
  method: 'GET',
  path,
  scope: 'nonce:read',
  badQueries,
});

export const ROUTE_CASES: readonly RouteCase[] = [
  {
    method: 'POST',
    path: '/v1/submitters/:submitter/allocations',
    scope: 'nonce:allocate',
    body: { count: 1, ttlMs: 60_000, operationId: 'op', metadata: {} },
    badFields: {
      count: [...BAD_INTEGERS, 0, 257],
      ttlMs: BAD_TTLS,
      operationId: [null, 1, '', 'x'.repeat(201), 'a\u0000b'],
      metadata: [null, 1, 'text', [], { a: 'b\u0000' }],
    },
  },
  read('/v1/allocations/:id'),
  allocation('intent', {
    body: { txHash: HASH, nonce: 0, epoch: 1 },
    badFields: {
      txHash: [...BAD_HASHES, undefined],
      rawTx: [null, 1, '', '0x', '0x1', 'ab', '0xzz'],
      ...BAD_PLACES,
    },
  }),
  allocation('submitted', {
    body: { txHash: HASH },
    badFields: { txHash: [...BAD_HASHES, undefined], ...BAD_PLACES },
  }),
  allocation('used', { body: { txHash: HASH }, badFields: { txHash: BAD_HASHES, ...BAD_PLACES } }),
  allocation('recyclable', {
    body: { reason: 'never signed' },
    badFields: { reason: [...BAD_NOTES, undefined], ...BAD_PLACES },
  }),
  allocation('keep', {
    body: { note: 'waiting', ttlMs: 60_000 },
    badFields: { note: [...BAD_NOTES, undefined], ttlMs: BAD_TTLS, ...BAD_PLACES },
  }),
  allocation('heartbeat', {
    body: { ttlMs: 60_000 },
    badFields: { ttlMs: BAD_TTLS, ...BAD_PLACES },
  }),
  read('/v1/submitters', [
    'limit=0',
    'limit=201',
    'limit=1e2',
    'limit=-1',
    'limit=',
    'limit=1&limit=2',
    'q=',
    'q=%00',
    'cursor=',
    'cursor=%00',
    'unknown=1',
  ]),
  read('/v1/submitters/:submitter'),
  {
    method: 'PUT',
    path: '/v1/submitters/:submitter',
    scope: 'ops:write',
    body: {
      label: 'treasury',
      maxInFlight: 8,
      ttlMs: 30_000,
      exposure: 'declared',
      pinnedMode: 'RELIABLE',
    },
    badFields: {
      label: [1, '', 'x'.repeat(201), 'a\u0000b', {}],
      maxInFlight: [-1, 1.5, '1', true, [], 2 ** 53],
      ttlMs: [-1, 0, 999, '1000', 86_400_001],
      exposure: ['', 'none', 1],
      pinnedMode: ['', 'reliable', 'DRAIN', 'DEGRADED', 1, []],
      reason: BAD_NOTES,
    },
  },
  read('/v1/submitters/:submitter/nonces', [
    'status=reserved',
    'stage=NOPE',
    'from=-1',
    'from=1e3',
    'from=9007199254740992',
    'to=x',
    'to=1.0',
    'limit=0',
    'limit=1001',
    'unknown=1',
  ]),
  read('/v1/submitters/:submitter/nonces/:n'),
  read('/v1/submitters/:submitter/gaps'),
  { method: 'GET', path: '/v1/ops/mode', scope: 'ops:read' },
  {
    method: 'PUT',
    path: '/v1/ops/mode',
    scope: 'ops:write',
    body: { mode: 'DUAL_WRITE', reason: 'a test', dryRun: true },
    badFields: {
      mode: [null, 1, '', 'reliable', 'NOPE', [], undefined],
      reason: [...BAD_NOTES, undefined],
      dryRun: [null, 1, 'true', []],
    },
  },
  {
    method: 'GET',
    path: '/v1/ops/mode/switches',
    scope: 'ops:read',
    badQueries: ['limit=0', 'limit=201', 'before=0', 'before=1e3', 'before=', 'unknown=1'],
  },
  { method: 'GET', path: '/v1/ops/mode/switches/:switchId', scope: 'ops:read' },
  {
    method: 'POST',
    path: '/v1/ops/mode/abort',
    scope: 'ops:write',
    body: { reason: 'a test' },
    badFields: { reason: [...BAD_NOTES, undefined] },
  },
  { method: 'GET', path: '/v1/ops/prefetch', scope: 'ops:read' },
  {
    method: 'PUT',
    path: '/v1/ops/prefetch',
    scope: 'ops:write',
    body: { size: 64, lowWater: 16, max: 1_024, reason: 'a test' },
    badFields: {
      size: [...BAD_INTEGERS, 0, 65_537, 1_025, undefined],
      lowWater: [...BAD_INTEGERS, 65_536, 64, undefined],
      max: [...BAD_INTEGERS, 0, 65_537, undefined],
      reason: BAD_NOTES,
    },
  },
  { method: 'GET', path: '/v1/ops/overview', scope: 'ops:read' },
  { method: 'GET', path: '/v1/ops/flush', scope: 'ops:read' },
  {
    method: 'POST',
    path: '/v1/ops/flush',
    scope: 'ops:write',
    body: { reason: 'a test' },
    badFields: { reason: BAD_NOTES },
  },
  {
    method: 'GET',
    path: '/v1/ops/dead-letters',
    scope: 'ops:read',
    badQueries: ['limit=0', 'limit=201', 'cursor=', 'cursor=1', 'unknown=1'],
  },
  {
    method: 'POST',
    path: '/v1/ops/dead-letters/:id/retry',
    scope: 'ops:write',
    body: { reason: 'a test' },
    badFields: { reason: BAD_NOTES },
  },
  { method: 'GET', path: '/v1/ops/recovery', scope: 'ops:read' },
  {
    method: 'POST',
    path: '/v1/ops/recovery/confirm',
    scope: 'ops:write',
    body: { reason: 'a test', submitter: `eip155:31337:0x${'ab'.repeat(20)}` },
    badFields: {
      reason: [...BAD_NOTES, undefined],
      submitter: [...BAD_PLACES.submitter, 'x'.repeat(101)],
      intact: [null, 1, 'true'],
    },
  },
  {
    method: 'POST',
    path: '/v1/ops/reconcile',
    scope: 'ops:write',
    body: { scope: 'hot', reason: 'a test', dryRun: true },
    badFields: {
      scope: [null, 1, '', 'warm', undefined],
      reason: [...BAD_NOTES, undefined],
      dryRun: [null, 1, 'true'],
    },
  },
  { method: 'GET', path: '/v1/ops/reconcile/:id', scope: 'ops:read' },
  { method: 'GET', path: '/v1/events', scope: 'nonce:read' },
  operation('align'),
  operation('pause'),
  operation('resume'),
  {
    ...operation('reconcile'),
    badFields: { reason: [...BAD_NOTES, undefined], dryRun: [null, 1, 'true'] },
  },
  {
    ...operation('reset'),
    // Refused before anything is looked at: it is not confirmed.
    badFields: {
      reason: [...BAD_NOTES, undefined],
      dryRun: ['true', 1],
      confirm: ['', 7, 'x'.repeat(201)],
    },
  },
];

/** Spellings that are no submitter: wrong length, wrong digits, wrong chain ids, wrong namespace. */
export const BAD_SUBMITTERS = [
  '0x12',
  'eip155:31337:0x12',
  `eip155:31337:0x${'g'.repeat(40)}`,
  `eip155:0:0x${'a'.repeat(40)}`,
  `eip155:01:0x${'a'.repeat(40)}`,
  `eip155:0x1:0x${'a'.repeat(40)}`,
  `eip155:1e3:0x${'a'.repeat(40)}`,
  `eip155:-1:0x${'a'.repeat(40)}`,
  `eip155:9007199254740993:0x${'a'.repeat(40)}`,
  `solana:1:0x${'a'.repeat(40)}`,
  `eip155:1:${'a'.repeat(40)}`,
  `%20eip155:1:0x${'a'.repeat(40)}`,
  `eip155:1:0x${'a'.repeat(40)}%00`,
  'x'.repeat(900),
];

export const BAD_NONCES = [
  '-1',
  '1e3',
  '1.0',
  '01',
  '0x1',
  'abc',
  '%2B1',
  '9007199254740991',
  '9007199254740992',
];
export const BAD_IDS = ['1', 'not-a-uuid', `${'a'.repeat(8)}-${'a'.repeat(27)}`, '%00'];
