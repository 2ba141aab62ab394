import { join } from 'node:path';
import type { ICruiseOptions, IFlattenedRuleSet } from 'dependency-cruiser';
import { listSources } from '../workspace/list-files';
import type { Violation } from './violation';

interface CruiserConfig extends IFlattenedRuleSet {
  readonly options: ICruiseOptions;
}

/** What each package name means inside the repository, so that no build is needed to follow it. */
const DOORS: Readonly<Record<string, string>> = {
  '@noncekit/nonce-core$': 'libs/nonce-core/src/index.ts',
  '@noncekit/nonce-core/domain$': 'libs/nonce-core/src/domain.ts',
  '@noncekit/nonce-core/ports$': 'libs/nonce-core/src/ports.ts',
  '@noncekit/nonce-core/testing$': 'libs/nonce-core/src/testing.ts',
  '@noncekit/chain-adapter$': 'libs/chain-adapter/src/index.ts',
  '@noncekit/tools$': 'tools/src/stack/index.ts',
  '@noncekit/test-support': 'libs/nonce-core/test/support',
};

/**
 * Runs `.dependency-cruiser.cjs` over all sources and tests of the workspace.
 * @throws Error when a source was not read: a rule that sees nothing would pass for ever.
 */
export async function checkImports(root: string): Promise<readonly Violation[]> {
  const { cruise } = await import('dependency-cruiser');
  const config = (await import(join(root, '.dependency-cruiser.cjs'))) as {
    default: CruiserConfig;
  };
  const { forbidden = [], options } = config.default;
  const sources = listSources(root);
  const alias = Object.fromEntries(
    Object.entries(DOORS).map(([name, path]) => [name, join(root, path)]),
  );
  const { output } = await cruise(
    [...sources],
    { ...options, baseDir: root, validate: true, ruleSet: { forbidden } },
    { alias, extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'] },
  );
  if (typeof output === 'string') throw new Error('dependency-cruiser answered with text');
  const seen = new Set(output.modules.map((module) => module.source));
  const unseen = sources.filter((source) => !seen.has(source));
  if (unseen.length > 0) throw new Error(`not read: ${unseen.join(', ')}`);
  return output.summary.violations.map((violation) => ({
    rule: violation.rule.name,
    file: violation.from,
    message: violation.from === violation.to ? 'stands alone' : `imports ${violation.to}`,
  }));
}
