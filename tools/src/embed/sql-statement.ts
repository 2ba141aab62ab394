import { bodyOf, headerOf, type SourceFile } from './source-file';

export interface SqlParameter {
  readonly name: string;
  /** Postgres type as written in the header, without `null`. */
  readonly type: string;
  readonly nullable: boolean;
  readonly comment: string;
}

export interface SqlStatement {
  readonly key: string;
  readonly file: string;
  /** The statement without header and without its closing semicolon; `:schema.` still in it. */
  readonly text: string;
  readonly comment: readonly string[];
  readonly parameters: readonly SqlParameter[];
  /** A header line `-- hot` asks for a named prepared statement. */
  readonly hot: boolean;
}

const PARAMETER =
  /^\$(\d+)\s+([a-z][a-z0-9_]*)\s+([a-z][a-z0-9_]*(?:\[\])?)(\s+null)?(?:\s+(.*))?$/;

/**
 * Reads one statement file.
 * @throws Error that names the file when it holds several statements, when a `$n` has no header line
 * or a header line no `$n`, or when a placeholder other than `:schema.` is used.
 */
export function parseSqlStatement(source: SourceFile): SqlStatement {
  const header = headerOf(source.text);
  const parameterLines = header.filter((line) => line.startsWith('$'));
  const comment = header.filter((line) => !line.startsWith('$') && line !== 'hot' && line !== '');
  if (comment.length === 0) throw new Error(`${source.name}: the header must say what it promises`);
  const text = bodyOf(source.text).replace(/;\s*$/, '');
  const code = withoutLiterals(text);
  if (code.trim() === '') throw new Error(`${source.name}: holds no statement`);
  if (code.includes(';')) throw new Error(`${source.name}: one statement per file`);
  checkPlaceholders(source.name, code);
  const parameters = parameterLines.map((line, index) => parseParameter(source.name, line, index));
  checkParametersUsed(source.name, code, parameters);
  return {
    key: source.key,
    file: source.name,
    text,
    comment,
    parameters,
    hot: header.includes('hot'),
  };
}

/** Code with comments, quoted text and dollar-quoted bodies blanked out. */
function withoutLiterals(sql: string): string {
  const literal =
    /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$(?:[a-z_]\w*)?\$)[\s\S]*?\1/gi;
  return sql.replace(literal, ' ');
}

function parseParameter(file: string, line: string, index: number): SqlParameter {
  const match = PARAMETER.exec(line);
  if (match === null) {
    throw new Error(`${file}: header line "${line}" is not "$n name type[ null]  comment"`);
  }
  if (Number(match[1]) !== index + 1) {
    throw new Error(`${file}: header names $${match[1] ?? ''} where $${String(index + 1)} is due`);
  }
  return {
    name: (match[2] ?? '').replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
    type: match[3] ?? '',
    nullable: match[4] !== undefined,
    comment: match[5] ?? '',
  };
}

function checkPlaceholders(file: string, code: string): void {
  const foreign = /(?<![:\w]):(?!schema\.|:)[a-z]\w*/i.exec(code);
  if (foreign !== null) throw new Error(`${file}: unknown placeholder ${foreign[0]}`);
}

function checkParametersUsed(
  file: string,
  code: string,
  parameters: readonly SqlParameter[],
): void {
  const used = new Set([...code.matchAll(/\$(\d+)/g)].map((match) => Number(match[1])));
  for (const position of used) {
    if (position > parameters.length || position === 0) {
      throw new Error(`${file}: $${String(position)} has no header line`);
    }
  }
  parameters.forEach((parameter, index) => {
    if (!used.has(index + 1)) throw new Error(`${file}: parameter ${parameter.name} is not used`);
  });
  if (new Set(parameters.map((parameter) => parameter.name)).size !== parameters.length) {
    throw new Error(`${file}: two parameters share a name`);
  }
}
