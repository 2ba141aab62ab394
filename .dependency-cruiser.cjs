// The direction of imports. `node tools/dist/architecture/main.js` runs it; every rule here has a
// seeded violation in tools/test/architecture.spec.ts that must be caught.

const CORE = '^libs/nonce-core/src';
const DOORS = `${CORE}/(index|domain|ports|testing)\\.ts$`;
const ADAPTER = '^libs/chain-adapter/src';
const TEST_CODE = '(\\.spec\\.ts|-spec\\.ts)$|^apps/[^/]+/src/e2e/';
const MIDDLE = '(engine-parts|engines|routing|modes|flush|tracking|recovery|outbox)';

/** A package by name, whether it was found in node_modules or not. */
const packages = (...names) => names.map((name) => `(^|node_modules/)${name}(/|$)`);

const inside = (...folders) => folders.map((folder) => `${CORE}/${folder}/`);

const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

/** Files of a core folder may import core files of the listed folders only. */
const mayImport = (folder, allowed, comment) =>
  rule(
    `core-${folder}-direction`,
    comment,
    { path: `${CORE}/${folder}/` },
    { path: '^(libs|apps|tools)/', pathNot: inside(...allowed) },
  );

/** Only one folder of the core may import these packages. */
const home = (folder, names, comment) =>
  rule(
    `core-${folder}-is-the-only-home`,
    comment,
    { path: `${CORE}/`, pathNot: `${CORE}/${folder}/|${CORE}/testing/[^/]+\\.module\\.ts$` },
    { path: packages(...names) },
  );

module.exports = {
  forbidden: [
    rule(
      'core-domain-imports-nothing',
      'domain/ is pure: values, tables and decisions, no package and no Node module',
      { path: `${CORE}/domain/` },
      { pathNot: inside('domain') },
    ),
    rule(
      'core-ports-are-types-over-the-domain',
      'ports/ say what the use cases need; they know the domain and each other',
      { path: `${CORE}/ports/` },
      { pathNot: inside('domain', 'ports') },
    ),
    mayImport('engine-parts', ['domain', 'ports', 'engine-parts'], 'parts work over ports'),
    mayImport(
      'engines',
      ['domain', 'ports', 'engine-parts', 'engines'],
      'an engine works over ports, built of the common parts',
    ),
    rule(
      'engines-do-not-import-each-other',
      'one folder per engine; what two of them share is a common part',
      { path: `${CORE}/engines/([^/]+)/` },
      { path: `${CORE}/engines/`, pathNot: `${CORE}/engines/$1/` },
    ),
    ...['routing', 'flush', 'tracking', 'recovery', 'outbox'].map((folder) =>
      mayImport(folder, ['domain', 'ports', folder], `${folder}/ is a use case over ports`),
    ),
    mayImport(
      'modes',
      ['domain', 'ports', 'routing', 'modes'],
      'modes/ changes over ports what routing/ follows, and gives submitters over as it does',
    ),
    mayImport(
      'template',
      ['domain', 'ports', 'template', MIDDLE],
      'template/ stands above the use cases and below the wiring',
    ),
    mayImport('postgres', ['domain', 'ports', 'postgres'], 'postgres/ implements ports'),
    mayImport('redis', ['domain', 'ports', 'redis'], 'redis/ implements ports'),
    mayImport('witness', ['domain', 'ports', 'witness'], 'witness/ implements ports on the disk'),
    mayImport(
      'viem',
      ['domain', 'ports', 'template', 'viem'],
      'viem/ wraps accounts and transports around the template',
    ),
    home('postgres', ['pg', 'pg-[a-z-]+', 'typeorm'], 'SQL has one home'),
    home('redis', ['ioredis', '@ioredis'], 'Redis has one home'),
    home('viem', ['viem'], 'the wallet wrappers have one home'),
    home(
      'module',
      ['@nestjs', '@liaoliaots/nestjs-redis', 'prom-client', 'class-validator'],
      'Nest has one home: classes below it are plain and built by factories',
    ),
    rule(
      'core-stands-alone',
      'the library knows neither adapter nor apps nor tools',
      { path: `${CORE}/` },
      { path: '^(libs/(?!nonce-core/)|apps/|tools/|test/)' },
    ),
    rule(
      'nobody-imports-the-own-door',
      'a door is for others; inside, files import each other directly',
      { path: '^libs/([^/]+)/src/.+', pathNot: `${DOORS}|${ADAPTER}/index\\.ts$` },
      { path: '^libs/$1/src/[^/]+\\.ts$' },
    ),
    rule(
      'testing-stays-out-of-production',
      'fakes, suites and test support must not be reachable from what is shipped to run',
      {
        path: '^(libs|apps|tools)/[^/]+/.*\\.ts$',
        pathNot: [
          TEST_CODE,
          `${CORE}/testing/`,
          `${CORE}/testing\\.ts$`,
          '^libs/[^/]+/test/',
          '^tools/test/',
        ],
      },
      { path: [`${CORE}/testing/`, `${CORE}/testing\\.ts$`, '^libs/[^/]+/test/', '^tools/test/'] },
    ),
    rule(
      'adapter-sees-domain-and-ports-only',
      'chain-adapter uses the doors /domain and /ports of the core and nothing else of the repository',
      { path: `${ADAPTER}/` },
      { path: '^(libs|apps|tools|test)/', pathNot: [ADAPTER, `${CORE}/(domain|ports)\\.ts$`] },
    ),
    rule(
      'apps-and-tools-see-doors-only',
      'what is not exported by a door may change without notice',
      { path: '^(apps|tools)/', pathNot: '^tools/test/' },
      { path: '^libs/[^/]+/src/', pathNot: [DOORS, `${ADAPTER}/index\\.ts$`] },
    ),
    rule(
      'apps-stand-alone',
      'an app imports neither another app nor a tool; only its end-to-end tests use the stack',
      { path: '^apps/([^/]+)/', pathNot: TEST_CODE },
      { path: '^(apps|tools|test)/', pathNot: '^apps/$1/' },
    ),
    rule(
      'tools-do-not-import-apps',
      'tools start apps as processes',
      { path: '^tools/' },
      { path: '^apps/' },
    ),
    rule('no-cycles', 'a cycle has no direction', {}, { circular: true }),
    {
      name: 'no-orphans',
      comment: 'a file nobody imports and that imports nothing is left over',
      severity: 'error',
      from: {
        orphan: true,
        path: '^(libs|apps|tools)/[^/]+/',
        pathNot: [TEST_CODE, DOORS, '/main\\.ts$', '^(libs/[^/]+|tools)/test/', '/generated/'],
      },
      to: {},
    },
  ],
  options: {
    // The swc parser sees type-only imports too: a type has a direction like a value.
    parser: 'swc',
    exclude: { path: '(^|/)dist/' },
    doNotFollow: { path: 'node_modules' },
  },
};
