import { checkHistory } from './check-history';
import type { AllocatedFact, Ending, EndingRow, Fact, HistoryRules, SpokenFact } from './history';

const SUBMITTER = 'eip155:1:0x00000000000000000000000000000000000000aa';
const HASH = `0x${'1'.repeat(64)}`;
const OTHER_HASH = `0x${'2'.repeat(64)}`;
const STRICT: HistoryRules = { intents: 'strict', memoryLost: false };
const RELAXED: HistoryRules = { intents: 'relaxed', memoryLost: false };

function allocated(token: string, atUs: number, rest: Partial<AllocatedFact> = {}): AllocatedFact {
  return {
    kind: 'allocated',
    node: 'node-1',
    askedUs: atUs - 5,
    atUs,
    submitter: SUBMITTER,
    nonce: 0,
    token,
    source: 'fresh',
    exposure: 'declared',
    epoch: 2,
    grantedAtMs: atUs,
    deadlineMs: atUs + 1_000,
    operation: null,
    ...rest,
  };
}

function spoken(token: string, atUs: number, rest: Partial<SpokenFact> = {}): SpokenFact {
  return {
    kind: 'spoken',
    node: 'node-1',
    askedUs: atUs - 5,
    atUs,
    submitter: SUBMITTER,
    nonce: 0,
    token,
    word: 'intent',
    txHash: HASH,
    answer: 'accepted',
    ...rest,
  };
}

function sent(token: string, atUs: number, txHash = HASH): Fact {
  return { kind: 'sent', node: 'node-1', atUs, submitter: SUBMITTER, nonce: 0, token, txHash };
}

function mined(txHash: string, operation: string | null = null, nonce = 0): Fact {
  return { kind: 'mined', submitter: SUBMITTER, nonce, txHash, operation };
}

function row(token: string, rest: Partial<EndingRow> = {}): EndingRow {
  return {
    submitter: SUBMITTER,
    nonce: 0,
    token,
    stage: 'INTENT',
    source: 'fresh',
    hashes: [HASH],
    txHash: HASH,
    ...rest,
  };
}

function ending(rows: readonly EndingRow[], rest: Partial<Ending> = {}): Ending {
  const next = Math.max(0, ...rows.map(({ nonce }) => nonce + 1));
  return { submitters: [{ submitter: SUBMITTER, start: 0, next }], rows, earlier: [], ...rest };
}

function earlier(token: string, hashes: readonly string[] = []): Ending['earlier'] {
  return [{ submitter: SUBMITTER, nonce: 0, token, hashes }];
}

const ids = (found: readonly string[]) => found.map((sentence) => sentence.split(':')[0]);

describe('a history that kept every promise', () => {
  it.each<[string, readonly Fact[], Ending, HistoryRules]>([
    [
      'a grant, its intent and its success',
      [
        allocated('a', 10),
        spoken('a', 20),
        sent('a', 30),
        spoken('a', 40, { word: 'used' }),
        mined(HASH, 'pay'),
      ],
      ending([row('a', { stage: 'FINAL' })]),
      STRICT,
    ],
    [
      'a declared nonce that nobody exposed before its next owner did',
      [allocated('a', 10), allocated('b', 20, { source: 'recycled' }), spoken('b', 30)],
      ending([row('b')]),
      STRICT,
    ],
    [
      'a nonce that was given back, though the answer was lost',
      [
        allocated('a', 10, { exposure: 'assumed' }),
        spoken('a', 20, { word: 'recyclable', txHash: null, answer: 'unknown' }),
        allocated('b', 30, { exposure: 'assumed', source: 'recycled' }),
      ],
      ending([row('b', { stage: 'GRANTED', hashes: [], txHash: null })], {
        earlier: earlier('a'),
      }),
      STRICT,
    ],
    [
      'a nonce that its late owner adopts after a later one gave it back',
      [
        allocated('a', 10),
        allocated('b', 20, { source: 'recycled', exposure: 'inferred' }),
        spoken('b', 30, { word: 'recyclable', txHash: null }),
        spoken('a', 50),
        sent('a', 60),
      ],
      ending([row('a')], { earlier: earlier('b') }),
      RELAXED,
    ],
    [
      'a replacement beside the bytes of an earlier holder',
      [
        allocated('a', 10, { exposure: 'inferred' }),
        sent('a', 20),
        allocated('b', 30, { source: 'replacement' }),
        spoken('b', 40, { txHash: OTHER_HASH }),
      ],
      ending([row('b', { source: 'replacement', hashes: [OTHER_HASH] })], {
        earlier: earlier('a'),
      }),
      STRICT,
    ],
    [
      'an operation that lost its first nonce and was told so',
      [
        allocated('a', 10, { operation: 'pay' }),
        spoken('a', 20, { answer: 'NONCE_FENCED' }),
        allocated('b', 30, { operation: 'pay', nonce: 1 }),
        spoken('b', 40, { nonce: 1 }),
      ],
      ending([row('x'), row('b', { nonce: 1 })], { earlier: earlier('a') }),
      STRICT,
    ],
    [
      'an operation whose first nonce ran out before anything was sent',
      [
        allocated('a', 10, { operation: 'pay', deadlineMs: 20 }),
        allocated('b', 30, { operation: 'pay', nonce: 1 }),
        spoken('b', 40, { nonce: 1 }),
      ],
      ending([row('x'), row('b', { nonce: 1 })], { earlier: earlier('a') }),
      STRICT,
    ],
    [
      'a relaxed success that died with the memory of the fast store, its nonce held back',
      [allocated('a', 10, { exposure: 'inferred' }), spoken('a', 20, { word: 'used' })],
      ending([row('a', { stage: 'QUARANTINED', hashes: [], txHash: null })]),
      { intents: 'relaxed', memoryLost: true },
    ],
    [
      'the answer of an allocation that was told twice',
      [allocated('a', 10, { operation: 'pay' }), allocated('a', 90, { operation: 'pay' })],
      ending([row('a')]),
      STRICT,
    ],
  ])('is found whole: %s', (_, history, end, rules) => {
    expect(checkHistory(history, end, rules)).toEqual([]);
  });
});

describe('a history with a violation', () => {
  it('S1: of two live owners of one nonce is told apart from two grants of which one may send', () => {
    const first = allocated('a', 10, { exposure: 'inferred' });
    const second = allocated('b', 20, { exposure: 'inferred' });
    const end = ending([row('b')], { earlier: earlier('a') });
    expect(ids(checkHistory([first, second], end, STRICT))).toEqual(['S1']);
  });

  it('S1: is found whatever order the grants were reported in', () => {
    const slow = allocated('a', 90, { exposure: 'inferred', grantedAtMs: 1, askedUs: 0 });
    const quick = allocated('b', 20, { exposure: 'inferred', grantedAtMs: 2 });
    const end = ending([row('b')], { earlier: earlier('a') });
    expect(ids(checkHistory([quick, slow], end, STRICT))).toEqual(['S1']);
  });

  it('S1: of a late owner that adopts a nonce while a later one holds it, or has sent with it', () => {
    const held = [
      allocated('a', 10),
      allocated('b', 20, { exposure: 'inferred' }),
      spoken('a', 30),
    ];
    const late = spoken('b', 50, { word: 'recyclable', txHash: null });
    for (const history of [held, [...held, late], [...held, sent('b', 25), late]]) {
      expect(ids(checkHistory(history, ending([row('a')]), RELAXED))).toContain('S1');
    }
  });

  it('S1: a release that was refused gives nothing back', () => {
    const history = [
      allocated('a', 10, { exposure: 'assumed' }),
      spoken('a', 15, { word: 'recyclable', answer: 'NONCE_RECYCLE_UNSAFE' }),
      allocated('b', 20, { exposure: 'assumed' }),
    ];
    const end = ending([row('b')], { earlier: earlier('a') });
    expect(ids(checkHistory(history, end, STRICT))).toEqual(['S1']);
  });

  it('S3, S8: of a clean re-issue after exposure', () => {
    const history = [
      allocated('a', 10, { exposure: 'inferred' }),
      sent('a', 12),
      allocated('b', 30, { exposure: 'inferred' }),
    ];
    const end = ending([row('b')], { earlier: earlier('a') });
    expect(ids(checkHistory(history, end, STRICT))).toEqual(['S1', 'S3, S8']);
  });

  it('S2: of an intent that was accepted for two tokens of a nonce', () => {
    const history = [
      allocated('a', 10),
      allocated('b', 20),
      spoken('b', 30),
      spoken('a', 40, { txHash: OTHER_HASH }),
    ];
    const end = ending([row('a', { hashes: [HASH, OTHER_HASH] })]);
    expect(ids(checkHistory(history, end, STRICT))).toEqual(['S1', 'S2']);
  });

  it('S1, S2: of an intent that was accepted after the nonce had been handed to a replacement', () => {
    const history = [
      allocated('a', 10),
      allocated('b', 20, { source: 'replacement' }),
      spoken('b', 30),
      spoken('a', 60, { txHash: OTHER_HASH }),
    ];
    const end = ending([row('b', { source: 'replacement', hashes: [HASH, OTHER_HASH] })]);
    expect(ids(checkHistory(history, end, STRICT))).toEqual(['S1, S2']);
  });

  it('S4: of an operation that may send at two nonces', () => {
    const history = [
      allocated('a', 10, { operation: 'pay' }),
      spoken('a', 15),
      allocated('b', 20, { operation: 'pay', nonce: 1 }),
      spoken('b', 30, { nonce: 1, txHash: OTHER_HASH }),
    ];
    const end = ending([row('a'), row('b', { nonce: 1, hashes: [OTHER_HASH] })]);
    expect(ids(checkHistory(history, end, STRICT))).toEqual(['S4', 'S11']);
  });

  it('S11: of an operation that is answered with another nonce while it holds one', () => {
    const history = [
      allocated('a', 10, { operation: 'pay' }),
      allocated('b', 20, { operation: 'pay', nonce: 1 }),
    ];
    const end = ending([row('a'), row('b', { nonce: 1 })]);
    expect(ids(checkHistory(history, end, STRICT))).toEqual(['S11']);
  });

  it('S7: of a nonce below the floor', () => {
    const history: Fact[] = [
      { kind: 'floor', atUs: 3, submitter: SUBMITTER, count: 1 },
      allocated('a', 10),
      spoken('a', 20),
    ];
    expect(ids(checkHistory(history, ending([row('a')]), STRICT))).toEqual(['S7']);
  });

  it('S9: of an older epoch that issued fresh nonces above those of a newer one', () => {
    const history = [
      allocated('a', 10, { epoch: 3 }),
      allocated('b', 20, { epoch: 2, nonce: 1 }),
      spoken('a', 30),
    ];
    const end = ending([row('a'), row('b', { nonce: 1 })]);
    expect(ids(checkHistory(history, end, STRICT))).toEqual(['S9']);
  });

  it('S12: of a hole, of a row above the counter, and of a token that owns two nonces', () => {
    const submitters = [{ submitter: SUBMITTER, start: 0, next: 3 }];
    const end = ending([row('a'), row('a', { nonce: 3 })], { submitters });
    const found = checkHistory([], end, STRICT);
    expect(found).toEqual([
      `S12: ${SUBMITTER} has 2 holes in [0, 3): 1, 2`,
      `S12: ${SUBMITTER} has rows at or above 3: 3`,
      'S12: one token owns two nonces',
    ]);
  });

  it.each<[string, readonly Fact[], EndingRow | null, HistoryRules, string]>([
    [
      'a durable grant without a record',
      [allocated('a', 10, { exposure: 'inferred' })],
      row('b'),
      STRICT,
      'S8',
    ],
    [
      'a grant for an operation without a record, also under relaxed',
      [allocated('a', 10, { operation: 'pay' })],
      row('b'),
      RELAXED,
      'S8',
    ],
    ['an intent without a row', [allocated('a', 10), spoken('a', 20)], null, STRICT, 'S8'],
    [
      'an intent whose nonce counts as never sent',
      [allocated('a', 10), spoken('a', 20)],
      row('a', { stage: 'REUSABLE', hashes: [], txHash: null }),
      STRICT,
      'S3, S8',
    ],
    [
      'an intent without its hash',
      [allocated('a', 10), spoken('a', 20)],
      row('a', { hashes: [OTHER_HASH] }),
      STRICT,
      'S8',
    ],
    [
      'a relaxed success that nothing forgot',
      [allocated('a', 10, { exposure: 'inferred' }), spoken('a', 20, { word: 'used' })],
      row('a', { stage: 'QUARANTINED', hashes: [], txHash: null }),
      RELAXED,
      'S8',
    ],
    [
      'a relaxed success whose nonce counts as never sent, even after the memory was lost',
      [allocated('a', 10, { exposure: 'inferred' }), spoken('a', 20, { word: 'used' })],
      row('a', { stage: 'REUSABLE', hashes: [], txHash: null }),
      { intents: 'relaxed', memoryLost: true },
      'S3, S8',
    ],
    [
      'a release of a nonce that is held still',
      [allocated('a', 10), spoken('a', 20, { word: 'recyclable', txHash: null })],
      row('a', { stage: 'GRANTED', hashes: [], txHash: null }),
      STRICT,
      'S8',
    ],
  ])('S8: of a lost event: %s', (_, history, found, rules, id) => {
    const end = ending(found === null ? [] : [found]);
    expect(ids(checkHistory(history, end, rules))).toEqual([id]);
  });

  it.each<[string, readonly Fact[], EndingRow, string]>([
    ['a success by other bytes', [mined(OTHER_HASH)], row('a', { stage: 'FINAL' }), 'S6'],
    ['a success that the chain has not', [], row('a', { stage: 'CONFIRMED' }), 'S6'],
    ['foreign use by our own', [mined(HASH)], row('a', { stage: 'CONSUMED_EXTERNAL' }), 'S5'],
    [
      'a clean nonce at which our bytes mined',
      [sent('a', 5), mined(HASH)],
      row('a', { stage: 'REUSABLE', hashes: [], txHash: null }),
      'S3',
    ],
  ])('of a verdict that contradicts the chain: %s', (_, history, found, id) => {
    expect(ids(checkHistory(history, ending([found]), STRICT))).toEqual([id]);
  });

  it('S4: of one operation that was executed twice', () => {
    const history = [mined(HASH, 'pay'), mined(OTHER_HASH, 'pay', 1)];
    const end = ending([row('a'), row('b', { nonce: 1 })]);
    expect(ids(checkHistory(history, end, STRICT))).toEqual(['S4']);
  });
});
