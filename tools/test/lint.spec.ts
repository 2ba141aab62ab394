import { spawnSync } from 'node:child_process';
import { join, relative } from 'node:path';
import { CLEAN_FILES } from './seeded-imports';
import { WorkspaceCopy } from './workspace-copy';

interface LintedFile {
  readonly filePath: string;
  readonly messages: readonly { readonly ruleId: string | null; readonly message: string }[];
}

const lines = (count: number) => Array.from({ length: count }, (_, n) => `  f(${n});`).join('\n');
const longFunction = (length: number) =>
  `export function long(f: (n: number) => void): void {\n${lines(length - 2)}\n}\n`;

/** A rule, the file that breaks it and its text. */
const SEEDS: readonly (readonly [string, string, string])[] = [
  [
    '@typescript-eslint/no-floating-promises',
    'libs/nonce-core/src/routing/a.ts',
    'export function go(f: () => Promise<void>): void {\n  f();\n}\n',
  ],
  [
    '@typescript-eslint/switch-exhaustiveness-check',
    'libs/nonce-core/src/routing/b.ts',
    "export function of(x: 'a' | 'b'): void {\n  switch (x) {\n    case 'a':\n      return;\n  }\n}\n",
  ],
  [
    '@typescript-eslint/consistent-type-imports',
    'libs/nonce-core/src/routing/c.ts',
    "import { X } from '../domain/nonce';\nexport type Y = X;\n",
  ],
  [
    '@typescript-eslint/no-explicit-any',
    'libs/nonce-core/test/integration/d.int-spec.ts',
    "it('holds', () => {\n  const x: any = 1;\n  expect(x).toBe(1);\n});\n",
  ],
  [
    'max-lines',
    'libs/nonce-core/src/routing/e.ts',
    `${'// why\n'.repeat(250)}export const e = 1;\n`,
  ],
  ['max-lines-per-function', 'libs/nonce-core/src/routing/f.ts', longFunction(71)],
  ['size/long-function', 'libs/nonce-core/src/routing/g.ts', longFunction(51)],
  [
    'no-restricted-syntax',
    'libs/nonce-core/src/routing/h.ts',
    'export const sum = (a: number, b: number, c: number, d: number) => a + b + c + d;\n',
  ],
  [
    'no-restricted-syntax',
    'libs/nonce-core/src/routing/i.ts',
    "export const home = process.env['HOME'];\n",
  ],
  [
    'no-restricted-syntax',
    'libs/nonce-core/test/integration/j.int-spec.ts',
    "it.skip('holds', () => {\n  expect(1).toBe(1);\n});\n",
  ],
  ['no-restricted-syntax', 'libs/nonce-core/src/routing/k.ts', 'export enum K {\n  A,\n}\n'],
  [
    'no-warning-comments',
    'libs/nonce-core/src/routing/l.ts',
    ['export const l = 1; // TO', 'DO\n'].join(''),
  ],
  [
    '@nx/enforce-module-boundaries',
    'libs/nonce-core/src/module/m.ts',
    "import { adapter } from '@noncekit/chain-adapter';\nexport const m = adapter;\n",
  ],
  [
    '@nx/enforce-module-boundaries',
    'libs/chain-adapter/src/evm/n.ts',
    "import { stack } from '@noncekit/tools';\nexport const n = stack;\n",
  ],
  [
    '@nx/enforce-module-boundaries',
    'apps/api/src/o.ts',
    "import { stack } from '@noncekit/tools';\nexport const o = stack;\n",
  ],
  [
    '@nx/enforce-module-boundaries',
    'tools/src/stack/p.ts',
    "import { main } from '@noncekit/api';\nexport const p = main;\n",
  ],
];

/** A Nest class keeps the value import that its decorator metadata needs. */
const DECORATED = {
  'apps/api/src/clean.service.ts': [
    "import { Injectable } from '@nestjs/common';",
    "import { Reflector } from '@nestjs/core';",
    '',
    '@Injectable()',
    'export class CleanService {',
    '  constructor(readonly reflector: Reflector) {}',
    '}',
    '',
  ].join('\n'),
  'apps/api/src/clean.dto.ts': [
    "import { IsInt, IsOptional, Max, Min } from 'class-validator';",
    '',
    'export class CleanDto {',
    '  @IsOptional()',
    '  @IsInt()',
    '  @Min(1)',
    '  @Max(256)',
    '  readonly count?: number;',
    '}',
    '',
  ].join('\n'),
};

describe('the lint', () => {
  const workspace = new WorkspaceCopy();
  let broken: readonly string[] = [];

  beforeAll(() => {
    for (const [path, text] of Object.entries({ ...CLEAN_FILES, ...DECORATED })) {
      workspace.write(path, text);
    }
    for (const [, path, text] of SEEDS) workspace.write(path, text);
    workspace.linkPackages();
    const cli = join(workspace.root, 'node_modules/eslint/bin/eslint.js');
    const run = spawnSync(process.execPath, [cli, '.', '--format', 'json'], {
      cwd: workspace.root,
      encoding: 'utf8',
      env: { ...process.env, NX_WORKSPACE_ROOT_PATH: workspace.root, NX_DAEMON: 'false' },
    });
    expect(run.stderr).toBe('');
    broken = (JSON.parse(run.stdout) as LintedFile[]).flatMap(({ filePath, messages }) =>
      messages.map(
        ({ ruleId, message }) => `${relative(workspace.root, filePath)}: ${ruleId ?? message}`,
      ),
    );
  }, 60_000);

  afterAll(() => {
    workspace.remove();
  });

  it.each(SEEDS)('catches %s in %s', (rule, path) => {
    expect(broken).toContain(`${path}: ${rule}`);
  });

  it('accepts decorated classes, whose imports are values at run time', () => {
    expect(broken.filter((line) => line.includes('/clean.'))).toEqual([]);
  });
});
