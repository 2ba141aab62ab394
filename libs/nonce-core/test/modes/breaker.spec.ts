import { Breaker } from '../../src/modes/breaker';

const SETTINGS = { failures: 3, windowMs: 2_000 };

function after(outcomes: readonly (readonly [atMs: number, succeeded: boolean])[]): Breaker {
  const breaker = new Breaker(SETTINGS);
  for (const [atMs, succeeded] of outcomes) breaker.note(succeeded, atMs);
  return breaker;
}

describe('Breaker', () => {
  it('opens with the third failure in a row, however long they lie apart, and says so once', () => {
    const breaker = after([
      [0, false],
      [60_000, false],
    ]);
    expect(breaker.isOpen).toBe(false);
    expect(breaker.isInDoubt).toBe(true);
    expect(breaker.note(false, 120_000)).toBe(true);
    expect(breaker.note(false, 120_001)).toBe(false);
    expect(breaker.isOpen).toBe(true);
  });

  it('stays closed when a call succeeds in between', () => {
    const breaker = after([
      [0, true],
      [1, true],
      [2, false],
      [3, false],
      [4, true],
      [5, false],
    ]);
    expect(breaker.isOpen).toBe(false);
    expect(breaker.isInDoubt).toBe(true);
  });

  it('opens when more than half of the calls of the window failed', () => {
    const mixed = [
      [0, false],
      [100, true],
      [300, false],
      [500, true],
      [700, false],
    ] as const;
    expect(after(mixed.slice(0, 4)).isOpen).toBe(false);
    expect(after(mixed).isOpen).toBe(true);
  });

  it('forgets failures that are older than the window', () => {
    const breaker = after([
      [0, false],
      [100, true],
      [300, false],
      [500, true],
      [2_800, false],
    ]);
    expect(breaker.isOpen).toBe(false);
  });

  it('takes no single failure for many, even when nothing else was called', () => {
    expect(after([[0, false]]).isOpen).toBe(false);
  });

  it('ignores outcomes while it is open, and is as new once it was closed', () => {
    const breaker = after([
      [0, false],
      [1, false],
      [2, false],
      [3, true],
    ]);
    expect(breaker.isOpen).toBe(true);
    breaker.close();
    breaker.note(false, 4);
    breaker.note(false, 5);
    expect(breaker.isOpen).toBe(false);
  });

  it('opens by what was seen elsewhere', () => {
    const breaker = after([]);
    breaker.trip();
    expect(breaker.isOpen).toBe(true);
    expect(breaker.isInDoubt).toBe(false);
  });

  it('counts looks among the failures in a row, and lets none make failed calls good', () => {
    const calls = [0, 400, 800].map((atMs) => [atMs, false] as const);
    const doubted = after(calls.slice(0, 1));
    expect([doubted.probed(false), doubted.probed(false)]).toEqual([false, true]);
    expect(doubted.isMostlyFailing).toBe(false);
    const flapping = new Breaker({ failures: 3, windowMs: 2_000 });
    for (const [atMs] of calls) {
      flapping.note(false, atMs);
      flapping.probed(true);
    }
    expect(flapping.isMostlyFailing).toBe(true);
  });
});
