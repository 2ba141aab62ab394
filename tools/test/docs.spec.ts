import { smallestTree } from '../src/docs/decision-tree';
import { withGeneratedParts } from '../src/docs/generated-parts';
import { page, table } from '../src/docs/markdown';
import { withSnippets } from '../src/docs/snippets';

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

describe('the snippets of a page', () => {
  const read = (path: string) => `// ${path}\nrun('$&');\n`;
  const begin = '<!-- snippet: a/b.ts -->';
  const end = '<!-- /snippet -->';

  it('show what their files hold now, and leave the rest of the page alone', () => {
    const shown = "```ts\n// a/b.ts\nrun('$&');\n```";
    const page = `# Title\n\n${begin}\nold\n${end}\n\ntext\n\n${begin}\n${end}\n`;
    const renewed = `# Title\n\n${begin}\n${shown}\n${end}\n\ntext\n\n${begin}\n${shown}\n${end}\n`;
    expect(withSnippets(page, read)).toBe(renewed);
    expect(withSnippets(renewed, read)).toBe(renewed);
  });

  it.each([begin, end, `${begin}\n${begin}\n${end}`, `${end}\n${begin}`])(
    'are refused when a mark has no partner: %j',
    (page) => {
      expect(() => withSnippets(page, read)).toThrow('has no partner');
    },
  );

  it('are refused when their file is not there', () => {
    const missing = () => {
      throw new Error('ENOENT a/b.ts');
    };
    expect(() => withSnippets(`${begin}\n${end}`, missing)).toThrow('a/b.ts');
  });
});

describe('the generated parts of a page', () => {
  const begin = '<!-- generated: a -->';
  const end = '<!-- /generated -->';
  const parts = new Map([['a', 'made']]);

  it('are renewed, and the rest of the page is left alone', () => {
    const renewed = `# Title\n\n${begin}\n\nmade\n\n${end}\n\ntext\n`;
    expect(withGeneratedParts(`# Title\n\n${begin}\nold\n${end}\n\ntext\n`, parts)).toBe(renewed);
    expect(withGeneratedParts(renewed, parts)).toBe(renewed);
  });

  it.each([
    [begin, 'has no partner'],
    [`${begin}\n${end}\n${end}`, 'has no partner'],
    [`<!-- generated: b -->\n${end}`, 'nothing is generated under the name b'],
    ['text', 'the page shows nowhere: a'],
  ])('are refused in %j', (text, reason) => {
    expect(() => withGeneratedParts(text, parts)).toThrow(reason);
  });
});
