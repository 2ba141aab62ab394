import nx from '@nx/eslint-plugin';
import eslint from 'eslint/use-at-your-own-risk';
import { createProjectGraphAsync } from 'nx/src/devkit-exports.js';
import tseslint from 'typescript-eslint';

// The boundary rule reads a cached project graph and silently checks nothing without one.
await createProjectGraphAsync({ exitOnError: false });

const TYPESCRIPT = ['**/*.ts'];
const TESTS = ['**/*.spec.ts', '**/*-spec.ts', '**/test/**/*.ts', 'apps/*/src/e2e/**/*.ts'];
const PRODUCTION = [
  'libs/*/src/**/*.ts',
  'apps/*/src/**/*.ts',
  'tools/src/**/*.ts',
  'tools/noncectl/src/**/*.ts',
];

const positional = (holder) => ({
  selector: `${holder}[params.length>3]`,
  message: 'At most 3 positional parameters: name them in one object.',
});

const SHAPE = [
  positional('FunctionDeclaration'),
  positional('ArrowFunctionExpression'),
  positional(':not(MethodDefinition) > FunctionExpression'),
  positional('MethodDefinition[kind!="constructor"] > FunctionExpression'),
  positional('TSMethodSignature'),
  {
    selector: 'MethodDefinition[kind="constructor"] > FunctionExpression[params.length>5]',
    message: 'At most 5 constructor dependencies: split the class.',
  },
  { selector: 'TSEnumDeclaration', message: 'Use a union of string literals, not an enum.' },
  { selector: 'CallExpression[callee.name="forwardRef"]', message: 'Break the cycle instead.' },
];

const ENVIRONMENT = {
  selector: 'MemberExpression[object.name="process"][property.name="env"]',
  message: 'Each app reads its environment in one place, its config folder.',
};

const UNFINISHED_TESTS = [
  {
    selector:
      'MemberExpression[object.name=/^(it|test|describe)$/][property.name=/^(skip|only|todo|failing)$/]',
    message: 'Every test runs, always.',
  },
  {
    selector: 'CallExpression[callee.name=/^(xit|xtest|xdescribe|fit|fdescribe)$/]',
    message: 'Every test runs, always.',
  },
];

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      '**/generated/**',
      '**/*.d.ts',
      '.nx/**',
      '.stack/**',
      'coverage/**',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: TYPESCRIPT,
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      // One program over sources and tests: a project per folder would check the library ten times.
      parserOptions: { project: './tsconfig.eslint.json', tsconfigRootDir: import.meta.dirname },
    },
    plugins: {
      '@nx': nx,
      size: { rules: { 'long-function': eslint.builtinRules.get('max-lines-per-function') } },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'separate-type-imports' },
      ],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Nest declares its option objects as classes and is given literals.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // An async method without await turns what it throws into a rejection, as its port promises.
      '@typescript-eslint/require-await': 'off',
      'no-warning-comments': ['error', { terms: ['todo', 'fixme'], location: 'anywhere' }],
      'no-restricted-syntax': ['error', ...SHAPE, ...UNFINISHED_TESTS],
    },
  },
  {
    files: PRODUCTION,
    ignores: TESTS,
    rules: {
      'max-lines': ['error', { max: 250, skipBlankLines: false, skipComments: false }],
      'max-lines-per-function': ['error', 70],
      'size/long-function': ['warn', 50],
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: false,
          allowCircularSelfDependency: true,
          depConstraints: [
            { sourceTag: 'scope:core', onlyDependOnLibsWithTags: [] },
            { sourceTag: 'scope:chain', onlyDependOnLibsWithTags: ['scope:core'] },
            { sourceTag: 'scope:app', onlyDependOnLibsWithTags: ['scope:core', 'scope:chain'] },
            { sourceTag: 'scope:tools', onlyDependOnLibsWithTags: ['scope:core', 'scope:chain'] },
          ],
        },
      ],
    },
  },
  {
    files: ['libs/*/src/**/*.ts', 'apps/*/src/**/*.ts'],
    ignores: [...TESTS, 'apps/*/src/config/**', 'libs/nonce-core/src/module/environment/**'],
    rules: { 'no-restricted-syntax': ['error', ...SHAPE, ...UNFINISHED_TESTS, ENVIRONMENT] },
  },
  {
    // Suites are lists of promises: the length of their describe blocks says nothing.
    files: ['libs/nonce-core/src/testing/**/*.ts'],
    rules: { 'max-lines-per-function': 'off', 'size/long-function': 'off' },
  },
  {
    files: TESTS,
    rules: {
      'max-lines': ['error', 600],
      // A table-driven test takes the columns of its table.
      'no-restricted-syntax': [
        'error',
        ...SHAPE.filter(({ selector }) => !selector.startsWith('ArrowFunctionExpression')),
        ...UNFINISHED_TESTS,
      ],
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Bodies of HTTP answers and matchers are untyped; assertions are what checks them.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
