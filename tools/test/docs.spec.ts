import { smallestTree } from '../src/docs/decision-tree';
import { page, table } from '../src/docs/markdown';

describe('the reference pages', () => {
  it('keep a cell in its column whatever it holds', () => {
    expect(table(['a', 'b'], [['x|y', 'two\nlines']])).toBe(
      '| a | b |\n| --- | --- |\n| x\\|y | two lines |',
    );
  });

  it('name the file they are made from', () => {
    expect(page('Title', 'a/b.ts', ['Text.'])).toBe(
      '# Title\n\nGenerated from `a/b.ts` by `npm run generate`; edit that file.\n\nText.\n',
    );
  });

  it('tell verdicts apart by the fewest facts', () => {
    const decided = [true, false].flatMap((late) =>
      [true, false].map((owner) => ({
        facts: { late, owner },
        verdict: owner ? 'granted' : 'refused',
      })),
    );
    expect(smallestTree(decided, ['late', 'owner'])).toEqual([
      { conditions: [{ fact: 'owner', holds: true }], verdict: 'granted' },
      { conditions: [{ fact: 'owner', holds: false }], verdict: 'refused' },
    ]);
  });

  it('refuse two verdicts for the same facts', () => {
    const same = { facts: { late: true }, verdict: 'granted' };
    expect(() => smallestTree([same, { ...same, verdict: 'refused' }], ['late'])).toThrow(
      'two verdicts for the same facts',
    );
  });
});
