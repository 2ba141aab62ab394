import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { listFiles, listSources } from '../workspace/list-files';
import type { Violation } from './violation';

const CORE = 'libs/nonce-core';
const CORE_DOORS = ['domain.ts', 'index.ts', 'ports.ts', 'testing.ts'];
const CORE_EXPORTS = ['.', './domain', './ports', './testing', './package.json'];
/** A data source is TypeORM's word for a pool with its mapping; nothing else is called data. */
const EMPTY_WORDS = /(^|[-.])(helpers?|utils?|data(?!-source)|info)(?=[-.]|$)/;
const TEST_KIND = /\.(spec|(contract|int|prop|sim|fault|e2e)-spec)\.ts$/;

/** Rules about which files exist and what they are called. */
export function checkStructure(root: string): readonly Violation[] {
  const sources = listSources(root);
  return [
    ...checkDoors(root, sources),
    ...checkBarrels(sources),
    ...checkNames(sources),
    ...checkTestKinds(sources),
    ...checkContracts(root),
  ];
}

function checkDoors(root: string, sources: readonly string[]): Violation[] {
  const rule = 'only-four-doors';
  const doors = sources.filter((path) => /^libs\/nonce-core\/src\/[^/]+\.ts$/.test(path));
  const extra = doors
    .filter((path) => !CORE_DOORS.includes(basename(path)))
    .map((file) => ({ rule, file, message: `the doors are ${CORE_DOORS.join(', ')}` }));
  const missing = CORE_DOORS.filter((door) => !doors.includes(`${CORE}/src/${door}`)).map(
    (door) => ({ rule, file: `${CORE}/src/${door}`, message: 'this door is missing' }),
  );
  const manifest = JSON.parse(readFileSync(join(root, CORE, 'package.json'), 'utf8')) as {
    exports: Record<string, unknown>;
  };
  const exported = Object.keys(manifest.exports).filter((path) => !CORE_EXPORTS.includes(path));
  const foreign = exported.map((path) => ({
    rule,
    file: `${CORE}/package.json`,
    message: `exports ${path}`,
  }));
  return [...extra, ...missing, ...foreign];
}

function checkBarrels(sources: readonly string[]): Violation[] {
  return sources
    .filter((path) => /^(libs|apps)\/[^/]+\/src\/.+\/index\.ts$/.test(path))
    .map((file) => ({
      rule: 'no-inner-barrels',
      file,
      message: 'import the file that holds what you need',
    }));
}

function checkNames(sources: readonly string[]): Violation[] {
  return sources
    .filter((path) => path.split('/').some((part) => EMPTY_WORDS.test(part.replace(/\.ts$/, ''))))
    .map((file) => ({
      rule: 'no-empty-names',
      file,
      message: 'helper, util, data and info say nothing; name the concept',
    }));
}

function checkTestKinds(sources: readonly string[]): Violation[] {
  return sources
    .filter((path) => /([.-]spec|\.test|-test)\.ts$/.test(path) && !TEST_KIND.test(path))
    .map((file) => ({
      rule: 'known-test-kinds',
      file,
      message: 'no runner picks this suffix up; see CONTRIBUTING',
    }));
}

function checkContracts(root: string): Violation[] {
  const engines = listFiles(root, `${CORE}/src/engines`).flatMap((path) => {
    const name = /\/engines\/([^/]+)\//.exec(path)?.[1];
    return name === undefined ? [] : [name];
  });
  return [...new Set(engines)]
    .map((name) => `${CORE}/test/contract/${name}.contract-spec.ts`)
    .filter((file) => !callsContract(join(root, file)))
    .map((file) => ({
      rule: 'every-engine-passes-the-contract',
      file,
      message: 'this file must call describeNonceEngine for its engine',
    }));
}

function callsContract(path: string): boolean {
  return existsSync(path) && /\bdescribeNonceEngine\s*\(/.test(readFileSync(path, 'utf8'));
}
