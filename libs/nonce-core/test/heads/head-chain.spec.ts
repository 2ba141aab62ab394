import type { Hex } from '../../src/domain/brand';
import { HeadChain, HEADERS_KEPT, linksUp } from '../../src/heads/head-chain';
import type { BlockRef } from '../../src/ports/chain.port';

const hash = (number: number, fork = 0): Hex => `0x${fork.toString(16)}f${number.toString(16)}`;
const block = (number: number, fork = 0, parentFork = fork): BlockRef => ({
  number,
  hash: hash(number, fork),
  parentHash: hash(number - 1, parentFork),
});
const run = (from: number, to: number, fork = 0): BlockRef[] =>
  Array.from({ length: to - from + 1 }, (_, i) => block(from + i, fork));

describe('kept headers', () => {
  it('S15: are those that link up with the head; what lies below a break is left out', () => {
    const chain = HeadChain.of([...run(8, 10).reverse(), block(7, 1), block(6, 1)]);
    expect([chain?.head.number, chain?.lowest]).toEqual([10, 8]);
    expect([8, 9, 10].map((number) => chain?.hashAt(number))).toEqual(
      [8, 9, 10].map((n) => hash(n)),
    );
    expect(chain?.hashAt(7)).toBeUndefined();
    expect(HeadChain.of([])).toBeNull();
  });

  it('lose what is above a fork, and keep so many', () => {
    const chain = HeadChain.of(run(1, 10).reverse());
    const forked = chain?.extended(7, [block(8, 1, 0), block(9, 1)]);
    expect(forked?.head.number).toBe(9);
    expect([7, 8, 9, 10].map((number) => forked?.hashAt(number))).toEqual([
      hash(7),
      hash(8, 1),
      hash(9, 1),
      undefined,
    ]);
    const long = chain?.extended(10, run(11, HEADERS_KEPT + 5));
    expect(long?.lowest).toBe(6);
    expect([long?.hashAt(5), long?.hashAt(6)]).toEqual([undefined, hash(6)]);
  });

  it('link up only as child after child', () => {
    expect(linksUp(hash(4), run(5, 9))).toBe(true);
    expect(linksUp(hash(4, 1), run(5, 9))).toBe(false);
    expect(linksUp(hash(4), [block(5), block(6, 1)])).toBe(false);
    expect(linksUp(hash(4), [block(5), block(7)])).toBe(false);
  });
});
