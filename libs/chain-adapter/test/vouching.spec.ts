import type { Hex } from '@noncekit/nonce-core/domain';
import fc from 'fast-check';
import { parseQuantity, parseReceipt } from '../src/evm/rpc-values';
import { strongest } from '../src/evm/strongest-outcome';
import { judgeReceipt, vouchedCount, vouchedHeight, vouchedTag } from '../src/evm/vouching';
import { blockText, hashText } from './support/scripted-node';

const block = (number: number, fork = 'main') => ({ ...blockText(number, fork), number });
const receipt = (number: number, fork = 'main', succeeded = true) => ({
  blockNumber: number,
  blockHash: hashText(`${fork} ${number}`),
  succeeded,
});
const votes = (number: number, voices: Readonly<Record<string, number>>) =>
  new Map([
    [
      number,
      new Map<Hex, number>(Object.entries(voices).map(([f, n]) => [hashText(`${f} ${number}`), n])),
    ],
  ]);

describe('counts', () => {
  it('S15: one provider that is ahead or lies cannot raise the count', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(100), { minLength: 1 }), fc.nat(), (honest, lie) => {
        expect(vouchedCount([...honest, lie])).toBeLessThanOrEqual(Math.max(...honest));
      }),
    );
  });

  it('S15: one provider that lags cannot lower what two others saw', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.nat(100), (seen, lag) => {
        expect(vouchedCount([lag, seen, seen])).toBeGreaterThanOrEqual(seen);
      }),
    );
  });

  it('a lone answer is the answer, and none is none', () => {
    expect(vouchedCount([7])).toBe(7);
    expect(vouchedCount([])).toBeNull();
  });

  it.each([
    ['0x0', 0],
    ['0x1FFFFFFFFFFFFE', Number.MAX_SAFE_INTEGER - 1],
  ])('S14: %s is exactly %i', (text, count) => {
    expect(parseQuantity(text)).toBe(count);
  });

  it.each([
    '',
    '0x',
    '-0x1',
    '0x-1',
    '0x1.5',
    '1e3',
    'NaN',
    '12',
    12,
    null,
    undefined,
    {},
    '0x1fffffffffffff',
    '0xffffffffffffffffff',
  ])('S14: %p is not a count', (value) => {
    expect(parseQuantity(value)).toBeNull();
  });
});

describe('blocks', () => {
  it('a tag stands at the height that two providers vouch for', () => {
    expect(vouchedTag([block(9), block(7), block(7)])).toEqual({ block: block(7) });
    expect(vouchedTag([block(9)])).toEqual({ block: block(9) });
  });

  it('one provider alone makes nothing final', () => {
    expect(vouchedTag([block(9), null])).toEqual({ block: null });
  });

  it('a height is what most name; providers that are behind do not count', () => {
    expect(vouchedHeight([null, block(5), null])).toEqual({ block: block(5) });
    expect(vouchedHeight([block(5, 'a'), block(5, 'b'), block(5, 'b')])).toEqual({
      block: block(5, 'b'),
    });
    expect(vouchedHeight([block(5, 'a'), block(5, 'b')])).toBe('disagreement');
    expect(vouchedHeight([null])).toEqual({ block: null });
    expect(vouchedHeight([])).toBe('no-answer');
  });
});

describe('receipts', () => {
  it('counts on the block that most providers name', () => {
    expect(judgeReceipt([receipt(5), 'none'], votes(5, { main: 1 }))).toEqual(receipt(5));
    expect(judgeReceipt([receipt(5, 'old'), receipt(5)], votes(5, { main: 2, old: 1 }))).toEqual(
      receipt(5),
    );
  });

  it('I-41: a receipt of an undone block is no receipt', () => {
    expect(judgeReceipt([receipt(5, 'old'), 'none'], votes(5, { main: 2 }))).toBe('absent');
  });

  it('is in doubt while providers are split, or nobody names the block', () => {
    expect(judgeReceipt([receipt(5, 'old'), 'none'], votes(5, { main: 1, old: 1 }))).toBe(
      'disagreement',
    );
    expect(judgeReceipt([receipt(5), 'none'], new Map())).toBe('disagreement');
    const split = [receipt(5), receipt(5, 'main', false)];
    expect(judgeReceipt(split, votes(5, { main: 2 }))).toBe('disagreement');
  });

  it('is absent only when somebody says so', () => {
    expect(judgeReceipt(['none'], new Map())).toBe('absent');
    expect(judgeReceipt([], new Map())).toBe('no-answer');
  });

  it('must be of the transaction that was asked for', () => {
    const hash = hashText('tx');
    const text = {
      transactionHash: hash,
      blockNumber: '0x5',
      blockHash: hashText('main 5'),
      status: '0x1',
    };
    expect(parseReceipt(text, hash)).toEqual(receipt(5));
    expect(parseReceipt(text, hashText('other'))).toBe('garbage');
    expect(parseReceipt({ ...text, status: '0x2' }, hash)).toBe('garbage');
    expect(parseReceipt({ ...text, blockHash: null }, hash)).toBe('none');
    expect(parseReceipt([], hash)).toBe('garbage');
  });
});

describe('several outcomes of one submission', () => {
  it.each([
    ['accepted', ['nonce-too-low', 'accepted', 'unknown']],
    ['already-known', ['never-executable', 'already-known']],
    ['nonce-too-low', ['replacement-underpriced', 'nonce-too-low', 'nonce-too-high']],
    ['replacement-underpriced', ['not-accepted-now', 'replacement-underpriced']],
    ['in-flight-limit', ['nonce-too-high', 'in-flight-limit']],
    ['not-accepted-now', ['nonce-too-high', 'not-accepted-now', 'never-executable']],
    ['nonce-too-high', ['never-executable', 'nonce-too-high', 'unknown']],
    ['never-executable', ['unknown', 'never-executable']],
    ['unknown', ['unknown']],
  ] as const)('%s is the strongest of %j', (expected, outcomes) => {
    expect(strongest(outcomes.map((outcome) => ({ outcome }))).outcome).toBe(expected);
  });
});
