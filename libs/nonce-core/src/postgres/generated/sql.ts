// Generated from postgres/sql/*.sql by `npm run generate`. Edit the .sql files, not this one.
import { createHash } from 'node:crypto';
import { NonceError } from '../../domain/errors/nonce-error';

/** One statement for one schema. */
export interface Statement<Parameters> {
  readonly text: string;
  /** Name for a prepared statement, unique per text; null when the statement is not hot. */
  readonly preparedName: string | null;
  /** The values in the order of `$1…`. */
  bind(parameters: Parameters): unknown[];
}

export interface StatementParameters {
}

interface StatementSource {
  readonly file: string;
  readonly hot: boolean;
  readonly parameters: readonly string[];
  readonly text: string;
}

const SQL: Readonly<Record<StatementName, StatementSource>> = {
};

export type StatementName = keyof StatementParameters;
export type Statements = {
  readonly [Name in StatementName]: Statement<StatementParameters[Name]>;
};

/**
 * Renders every statement for one schema; do it once and keep the result.
 * @throws NonceError `NONCE_CONFIG_INVALID` unless `schema` is a plain lower-case identifier.
 */
export function renderStatements(schema: string): Statements {
  const prefix = `${quoteSchema(schema)}.`;
  const sources = Object.entries<StatementSource>(SQL);
  const rendered = sources.map(([name, source]) => [name, render(source, prefix)]);
  return Object.freeze(Object.fromEntries(rendered)) as Statements;
}

/** `schema` as a quoted identifier. */
export function quoteSchema(schema: string): string {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    const detail = 'must be 1 to 63 of a-z, 0-9 and _, not starting with a digit';
    throw new NonceError('NONCE_CONFIG_INVALID', { errors: [{ pointer: '/schema', detail }] });
  }
  return `"${schema}"`;
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
  return `${source.file.slice(0, 46)}_${digest}`;
}
