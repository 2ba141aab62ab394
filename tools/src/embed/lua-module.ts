import { createHash } from 'node:crypto';
import { headerOf, templateLiteral, type SourceFile } from './source-file';

const REQUIRED_WORDS = ['guarantee', 'keys', 'argv', 'replies'];

const PROLOGUE = `// Generated from redis/lua/*.lua by \`npm run generate\`. Edit the .lua files, not this one.

export interface LuaScript {
  readonly file: string;
  readonly text: string;
  /** Digest for EVALSHA. */
  readonly sha1: string;
}
`;

/**
 * The TypeScript module that carries all scripts.
 * @throws Error that names the file when its header leaves out guarantee, KEYS, ARGV or replies.
 */
export function renderLuaModule(sources: readonly SourceFile[]): string {
  const entries = sources.map(entry).join('');
  return `${PROLOGUE}\nexport const LUA = {\n${entries}} as const satisfies Readonly<Record<string, LuaScript>>;\n`;
}

function entry(source: SourceFile): string {
  const header = headerOf(source.text).join('\n').toLowerCase();
  const missing = REQUIRED_WORDS.filter((word) => !header.includes(word));
  if (missing.length > 0) {
    throw new Error(`${source.name}: the header does not state ${missing.join(', ')}`);
  }
  const sha1 = createHash('sha1').update(source.text).digest('hex');
  return [
    `  ${source.key}: {`,
    `    file: '${source.name}',`,
    `    sha1: '${sha1}',`,
    `    text: ${templateLiteral(source.text)},`,
    '  },\n',
  ].join('\n');
}
