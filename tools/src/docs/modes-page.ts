import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ENGINE_MODES,
  drains,
  engineOf,
  modesAfter,
  type EngineMode,
  type EnvironmentReferenceRow,
} from '@noncekit/nonce-core';
import { withGeneratedParts } from './generated-parts';
import { code, table } from './markdown';

const PAGE = 'docs/modes.md';

/** Who goes this way; an edge without words stops the generator. */
const WAYS: Readonly<Record<EngineMode, Partial<Record<EngineMode, string>>>> = {
  RELIABLE: { DUAL_WRITE: 'operator, or lasting load', PERFORMANCE: 'operator' },
  DUAL_WRITE: { PERFORMANCE: 'operator, or lasting load', RELIABLE: 'operator' },
  PERFORMANCE: {
    DRAIN: 'operator, before Redis is touched',
    RELIABLE: 'operator',
    DUAL_WRITE: 'operator',
    DEGRADED: 'by itself, when Redis fails',
  },
  DRAIN: { RELIABLE: 'operator', PERFORMANCE: 'operator' },
  DEGRADED: { PERFORMANCE: 'by itself, when Redis is well again', RELIABLE: 'operator' },
};

const ENGINES: Readonly<Record<ReturnType<typeof engineOf>, string>> = {
  reliable: 'Postgres',
  'dual-write': 'Postgres; Redis is told afterwards',
  performance: 'Redis, within ranges that Postgres gave it',
};

/** Settings that change what a mode does or when it changes. */
const SETTINGS = /^NONCE_(INITIAL_MODE|PERFORMANCE_|PREFETCH_|DEGRADE_|MODES_|AUTO_PROMOTE)/;

/** docs/modes.md: written by people, save for what the program says better. */
export function modesPage(
  root: string,
  environments: ReadonlyMap<string, readonly EnvironmentReferenceRow[]>,
): string {
  const parts = new Map([
    ['picture', picture()],
    ['edges', edges()],
    ['settings', settings(environments)],
  ]);
  return withGeneratedParts(readFileSync(join(root, PAGE), 'utf8'), parts);
}

function picture(): string {
  const ways = ENGINE_MODES.flatMap((from) =>
    modesAfter(from).map((to) => `  ${from} --> ${to}: ${wayOf(from, to)}`),
  );
  return ['```mermaid', 'stateDiagram-v2', '  [*] --> RELIABLE', ...ways, '```'].join('\n');
}

function edges(): string {
  return table(
    ['mode', 'issued by', 'a submitter pinned to PERFORMANCE', 'may be left to'],
    ENGINE_MODES.map((mode) => [
      code(mode),
      ENGINES[engineOf(mode)],
      drains(mode) ? 'Postgres too: the pin waits' : ENGINES[engineOf(mode, 'PERFORMANCE')],
      modesAfter(mode).map(code).join(', '),
    ]),
  );
}

function settings(environments: ReadonlyMap<string, readonly EnvironmentReferenceRow[]>): string {
  const rows = new Map([...environments.values()].flat().map((row) => [row.name, row]));
  return table(
    ['name', 'default', 'why change it'],
    [...rows.values()]
      .filter(({ name }) => SETTINGS.test(name))
      .map(({ name, default: value, unit, reason }) => [
        code(name),
        value === null ? '' : [code(value), unit ?? ''].join(' ').trim(),
        reason,
      ]),
  );
}

function wayOf(from: EngineMode, to: EngineMode): string {
  const way = WAYS[from][to];
  if (way === undefined) throw new Error(`docs: say who goes from ${from} to ${to}`);
  return way;
}
