import type { Hex } from '../../src/domain/brand';
import { decideLoweredFloor, type JudgedRaise } from '../../src/recovery/decide-lowered-floor';

const hash = (name: string): Hex => `0x${name}`;

/** `now` is the hash that the chain has at the height of the raise. */
const raise = (previousCount: number, count: number, now: string | null): JudgedRaise => ({
  count,
  previousCount,
  block: { number: count, hash: hash('a') },
  canonicalHash: now === null ? null : hash(now),
});

describe('S15: how far the issuing floor falls', () => {
  it.each([
    ['its block stands', [raise(2, 9, 'a')]],
    ['the reader has no block so high', [raise(2, 9, null)]],
    ['nobody remembers how it was raised', []],
    ['the remembered raise is not the one that made it', [raise(2, 8, 'b')]],
  ])('not at all while %s', (_, raises) => {
    expect(decideLoweredFloor(9, 4, raises)).toBeNull();
  });

  it('to what the chain shows once the block of the raise was replaced', () => {
    expect(decideLoweredFloor(9, 4, [raise(2, 9, 'b')])).toEqual({ to: 4, replaced: [9] });
  });

  it('never below what was known before a raise whose block stands', () => {
    const raises = [raise(6, 9, 'b'), raise(2, 6, 'a')];
    expect(decideLoweredFloor(9, 4, raises)).toEqual({ to: 6, replaced: [9] });
  });

  it('by several raises when all their blocks were replaced, and by no more than needed', () => {
    const raises = [raise(6, 9, 'b'), raise(4, 6, 'b'), raise(1, 4, 'b')];
    expect(decideLoweredFloor(9, 4, raises)).toEqual({ to: 4, replaced: [9, 6] });
  });
});
