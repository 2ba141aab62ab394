import type { SqlParameter, SqlStatement } from './sql-statement';
import { templateLiteral } from './source-file';

/** How a value of a Postgres type is handed to the driver. JSON goes as text: arrays would not. */
const DRIVER_TYPE: Readonly<Record<string, string>> = {
  text: 'string',
  uuid: 'string',
  jsonb: 'string',
  json: 'string',
  interval: 'string',
  numeric: 'string',
  smallint: 'number',
  integer: 'number',
  int: 'number',
  bigint: 'number',
  boolean: 'boolean',
  bytea: 'Buffer',
  timestamptz: 'Date',
};

const PROLOGUE = `// Generated from postgres/sql/*.sql by \`npm run generate\`. Edit the .sql files, not this one.
import { createHash } from 'node:crypto';
import { NonceError } from '../../domain/errors/nonce-error';

/** One statement for one schema. */
export interface Statement<Parameters> {
  readonly text: string;
  /** Name for a prepared statement, unique per text; null when the statement is not hot. */
  readonly preparedName: string | null;
  /** The values in the order of \`$1…\`. */
  bind(parameters: Parameters): unknown[];
}
`;

const EPILOGUE = `
type StatementName = keyof StatementParameters;
export type Statements = {
  readonly [Name in StatementName]: Statement<StatementParameters[Name]>;
};

/**
 * Renders every statement for one schema; do it once and keep the result.
 * @throws NonceError \`NONCE_CONFIG_INVALID\` unless \`schema\` is a plain lower-case identifier.
 */
export function renderStatements(schema: string): Statements {
  const prefix = \`\${quoteSchema(schema)}.\`;
  const sources = Object.entries<StatementSource>(SQL);
  const rendered = sources.map(([name, source]) => [name, render(source, prefix)]);
  return Object.freeze(Object.fromEntries(rendered)) as Statements;
}

/** \`schema\` as a quoted identifier. */
export function quoteSchema(schema: string): string {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    const detail = 'must be 1 to 63 of a-z, 0-9 and _, not starting with a digit';
    throw new NonceError('NONCE_CONFIG_INVALID', { errors: [{ pointer: '/schema', detail }] });
  }
  return \`"\${schema}"\`;
}

function render(source: StatementSource, prefix: string): Statement<never> {
  const text = source.text.replaceAll(':schema.', prefix);
  const bind = (parameters: Readonly<Record<string, unknown>>): unknown[] =>
    source.parameters.map((name) => parameters[name]);
  return Object.freeze({ text, preparedName: source.hot ? nameFor(source, text) : null, bind });
}

// The digest covers the schema too: one pool may serve two schemas, and a name means one text.
function nameFor(source: StatementSource, text: string): string {
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return \`\${source.file.slice(0, 46)}_\${digest}\`;
}
`;

/** The TypeScript module that carries all statements. */
export function renderSqlModule(statements: readonly SqlStatement[]): string {
  const parameters = statements.map(parametersInterface).join('');
  const sources = statements.map(sourceEntry).join('');
  return [
    PROLOGUE,
    `\nexport interface StatementParameters {\n${parameters}}\n`,
    '\ninterface StatementSource {\n  readonly file: string;\n  readonly hot: boolean;\n',
    '  readonly parameters: readonly string[];\n  readonly text: string;\n}\n',
    `\nconst SQL: Readonly<Record<StatementName, StatementSource>> = {\n${sources}};\n`,
    EPILOGUE,
  ].join('');
}

function parametersInterface(statement: SqlStatement): string {
  const comment = statement.comment
    .map((line) => `   * ${line.replaceAll('*/', '* /')}\n`)
    .join('');
  const head = `  /**\n${comment}   */\n`;
  if (statement.parameters.length === 0) {
    return `${head}  readonly ${statement.key}: Readonly<Record<string, never>>;\n`;
  }
  const fields = statement.parameters.map((parameter) => field(statement.file, parameter)).join('');
  return `${head}  readonly ${statement.key}: {\n${fields}  };\n`;
}

function field(file: string, parameter: SqlParameter): string {
  const comment =
    parameter.comment === '' ? '' : `    /** ${parameter.comment.replaceAll('*/', '* /')} */\n`;
  const nullable = parameter.nullable ? ' | null' : '';
  return `${comment}    readonly ${parameter.name}: ${driverType(file, parameter.type)}${nullable};\n`;
}

function driverType(file: string, type: string): string {
  const element = DRIVER_TYPE[type.replace('[]', '')];
  if (element === undefined) {
    throw new Error(`${file}: type ${type} is none of ${Object.keys(DRIVER_TYPE).join(', ')}`);
  }
  return type.endsWith('[]') ? `readonly (${element} | null)[]` : element;
}

function sourceEntry(statement: SqlStatement): string {
  const names = statement.parameters.map((parameter) => `'${parameter.name}'`).join(', ');
  return [
    `  ${statement.key}: {`,
    `    file: '${statement.file.replace('.sql', '')}',`,
    `    hot: ${String(statement.hot)},`,
    `    parameters: [${names}],`,
    `    text: ${templateLiteral(statement.text)},`,
    '  },\n',
  ].join('\n');
}
