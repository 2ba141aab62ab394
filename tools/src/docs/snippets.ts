import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

const SNIPPET = /^<!-- snippet: (\S+) -->\n[^]*?^<!-- \/snippet -->$/gm;
const MARK = /^<!-- \/?snippet\b.*$/gm;
const MARKS_PER_SNIPPET = 2;
const LANGUAGES: Readonly<Record<string, string>> = { '.ts': 'ts', '.sh': 'sh' };

/**
 * A page whose code is that of files which the tests run: between `<!-- snippet: path -->` and
 * `<!-- /snippet -->` stands what the file holds now. Everything else stays as people wrote it.
 * @throws Error when a mark has no partner, so that no snippet silently stays as it is.
 */
export function withSnippets(page: string, read: (path: string) => string): string {
  let found = 0;
  const renewed = page.replace(SNIPPET, (_, path: string) => {
    found += 1;
    return [`<!-- snippet: ${path} -->`, fenced(path, read(path)), '<!-- /snippet -->'].join('\n');
  });
  const marks = page.match(MARK)?.length ?? 0;
  if (marks !== found * MARKS_PER_SNIPPET) {
    throw new Error(
      'a snippet mark has no partner: write <!-- snippet: path --> … <!-- /snippet -->',
    );
  }
  return renewed;
}

/** The page at `path` of the repository with its snippets renewed. */
export function pageWithSnippets(root: string, path: string): string {
  const read = (file: string) => readFileSync(join(root, file), 'utf8');
  return withSnippets(read(path), read);
}

function fenced(path: string, text: string): string {
  return `\`\`\`${LANGUAGES[extname(path)] ?? ''}\n${text.trimEnd()}\n\`\`\``;
}
