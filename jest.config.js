const aliases = require('./tools/test/jest/source-aliases.cjs');
const swcOptions = require('./tools/test/jest/swc-options.cjs');

const KINDS = ['contract', 'int', 'prop', 'sim', 'fault', 'e2e'];
const FOLDERS = [
  'libs/*/src',
  'libs/*/test',
  'apps/*/src',
  'examples/*/test',
  'tools/src',
  'tools/test',
  'tools/noncectl/test',
];

/** @type {import('jest').Config} */
module.exports = {
  rootDir: __dirname,
  testMatch: FOLDERS.flatMap((folder) => [
    `<rootDir>/${folder}/**/*.spec.ts`,
    `<rootDir>/${folder}/**/*.(${KINDS.join('|')})-spec.ts`,
  ]),
  transform: { '^.+\\.ts$': ['@swc/jest', swcOptions] },
  moduleFileExtensions: ['ts', 'js', 'cjs', 'mjs', 'json', 'node'],
  moduleNameMapper: {
    ...Object.fromEntries(Object.entries(aliases.names).map(([name, path]) => [`^${name}$`, path])),
    ...Object.fromEntries(
      Object.entries(aliases.folders).map(([start, folder]) => [`^${start}(.*)$`, `${folder}/$1`]),
    ),
  },
  modulePathIgnorePatterns: ['/dist/', '<rootDir>/.nx/', '<rootDir>/.stack/'],
  globalSetup: './tools/test/jest/global-setup.ts',
  globalTeardown: './tools/test/jest/global-teardown.ts',
  testEnvironment: './tools/test/jest/leftover-environment.ts',
  reporters: [['default', { summaryThreshold: 1 }], './tools/test/jest/count-reporter.cjs'],
  // Two cores, which the servers share with the tests.
  maxWorkers: 2,
  // A test that hangs is found all the same; a slow machine is no failure.
  testTimeout: 90_000,
  watchman: false,
};
