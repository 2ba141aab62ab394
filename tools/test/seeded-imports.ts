/** One file that breaks one rule of the architecture. */
export interface Seed {
  readonly rule: string;
  readonly path: string;
  readonly text: string;
}

const CORE = 'libs/nonce-core/src';

const seed = (rule: string, path: string, text: string): Seed => ({ rule, path, text });

const core = (rule: string, file: string, imported: string): Seed =>
  seed(rule, `${CORE}/${file}`, `import type { X } from '${imported}';\nexport type Y = X;\n`);

/** What a rightly built workspace of the same shape holds. */
export const CLEAN_FILES: Readonly<Record<string, string>> = {
  [`${CORE}/index.ts`]: "export * from './domain';\nexport * from './ports';\n",
  [`${CORE}/domain.ts`]: "export * from './domain/nonce';\n",
  [`${CORE}/ports.ts`]: "export * from './ports/clock.port';\n",
  [`${CORE}/testing.ts`]: "export * from './testing/fake-clock';\n",
  [`${CORE}/domain/nonce.ts`]: 'export type X = number;\n',
  [`${CORE}/ports/clock.port.ts`]: "export type { X as Clock } from '../domain/nonce';\n",
  [`${CORE}/testing/fake-clock.ts`]: "export type { X as FakeClock } from '../domain/nonce';\n",
  [`${CORE}/engines/reliable/reliable-engine.ts`]: "export type { X } from '../../domain/nonce';\n",
  [`${CORE}/routing/engine-manager.ts`]: "export type { X } from '../domain/nonce';\n",
  [`${CORE}/tracking/receipt-poller.ts`]: "export type { X } from '../domain/nonce';\n",
  [`${CORE}/template/run-handler.ts`]: "export type { X } from '../tracking/receipt-poller';\n",
  [`${CORE}/postgres/store.ts`]:
    "import type { Pool } from 'pg';\nimport type { X } from '../domain/nonce';\nexport type S = [Pool, X];\n",
  [`${CORE}/redis/journal.ts`]:
    "import type { Redis } from 'ioredis';\nimport type { X } from '../domain/nonce';\nexport type S = [Redis, X];\n",
  [`${CORE}/viem/account.ts`]:
    "import type { Hex } from 'viem';\nimport type { X } from '../template/run-handler';\nexport type S = [Hex, X];\n",
  [`${CORE}/module/nonce.module.ts`]:
    "import type { Type } from '@nestjs/common';\nimport type { X } from '../template/run-handler';\nexport type S = [Type, X];\n",
  'libs/nonce-core/test/contract/reliable.contract-spec.ts':
    "import { describeNonceEngine } from '../../src/testing/fake-clock';\ndescribeNonceEngine();\n",
  'libs/nonce-core/test/support/test-database.ts':
    "export type { X } from '../../src/domain/nonce';\n",
  'libs/chain-adapter/src/index.ts': "export * from './evm/reader';\n",
  'libs/chain-adapter/src/evm/reader.ts':
    "export type { X } from '@noncekit/nonce-core/domain';\nexport type { Clock } from '@noncekit/nonce-core/ports';\n",
  'apps/api/src/main.ts':
    "export type { X } from '@noncekit/nonce-core';\nexport * from '@noncekit/chain-adapter';\n",
  'apps/flush-worker/src/main.ts': "export type { X } from '@noncekit/nonce-core';\n",
  'apps/flush-worker/src/sweep.ts': "export type { X } from '@noncekit/nonce-core';\n",
  'apps/api/src/e2e/api.e2e-spec.ts':
    "import type { FakeClock } from '@noncekit/nonce-core/testing';\nexport type T = FakeClock;\n",
  'tools/src/stack/stack.ts': "export type { X } from '@noncekit/nonce-core';\n",
};

/** At least one seed for every import rule; the test compares the two lists. */
export const IMPORT_SEEDS: readonly Seed[] = [
  core('core-domain-imports-nothing', 'domain/a.ts', '../ports/clock.port'),
  core('core-domain-imports-nothing', 'domain/b.ts', 'node:fs'),
  core('core-domain-imports-nothing', 'domain/c.ts', 'uuid'),
  core('core-ports-are-types-over-the-domain', 'ports/a.port.ts', '../template/run-handler'),
  core('core-engine-parts-direction', 'engine-parts/a.ts', '../engines/reliable/reliable-engine'),
  core('core-engines-direction', 'engines/lease/a.ts', '../../tracking/receipt-poller'),
  core('engines-do-not-import-each-other', 'engines/lease/b.ts', '../reliable/reliable-engine'),
  core('core-routing-direction', 'routing/a.ts', '../engines/reliable/reliable-engine'),
  core('core-modes-direction', 'modes/a.ts', '../engines/reliable/reliable-engine'),
  core('core-flush-direction', 'flush/a.ts', '../tracking/receipt-poller'),
  core('core-tracking-direction', 'tracking/a.ts', '../routing/engine-manager'),
  core('core-recovery-direction', 'recovery/a.ts', '../tracking/receipt-poller'),
  core('core-outbox-direction', 'outbox/a.ts', '../template/run-handler'),
  core('core-template-direction', 'template/a.ts', '../module/nonce.module'),
  core('core-postgres-direction', 'postgres/a.ts', '../tracking/receipt-poller'),
  core('core-redis-direction', 'redis/a.ts', '../postgres/store'),
  core('core-witness-direction', 'witness/a.ts', '../redis/journal'),
  core('core-viem-direction', 'viem/a.ts', '../tracking/receipt-poller'),
  core('core-postgres-is-the-only-home', 'tracking/b.ts', 'typeorm'),
  core('core-postgres-is-the-only-home', 'module/b.ts', 'pg'),
  core('core-redis-is-the-only-home', 'engines/sequence/b.ts', 'ioredis'),
  core('core-viem-is-the-only-home', 'template/b.ts', 'viem/accounts'),
  core('core-module-is-the-only-home', 'routing/b.ts', '@nestjs/common'),
  core('core-stands-alone', 'module/c.ts', '@noncekit/chain-adapter'),
  core('nobody-imports-the-own-door', 'module/d.ts', '../domain'),
  core('nobody-imports-the-own-door', 'module/e.ts', '@noncekit/nonce-core'),
  core('testing-stays-out-of-production', 'module/f.ts', '../testing/fake-clock'),
  seed(
    'testing-stays-out-of-production',
    'apps/api/src/a.ts',
    "export * from '@noncekit/nonce-core/testing';\n",
  ),
  seed(
    'testing-stays-out-of-production',
    'apps/api/src/d.ts',
    "export * from '../../../libs/nonce-core/test/support/test-database';\n",
  ),
  seed(
    'nobody-imports-the-own-door',
    'libs/chain-adapter/src/evm/a.ts',
    "export * from '../index';\n",
  ),
  seed(
    'adapter-sees-domain-and-ports-only',
    'libs/chain-adapter/src/evm/b.ts',
    "export type { X } from '@noncekit/nonce-core';\n",
  ),
  seed(
    'apps-and-tools-see-doors-only',
    'apps/api/src/b.ts',
    "export type { X } from '../../../libs/nonce-core/src/domain/nonce';\n",
  ),
  seed(
    'apps-and-tools-see-doors-only',
    'tools/src/stack/b.ts',
    "export type { X } from '../../../libs/nonce-core/src/domain/nonce';\n",
  ),
  seed(
    'apps-stand-alone',
    'apps/api/src/c.ts',
    "export type { X } from '../../flush-worker/src/sweep';\n",
  ),
  seed(
    'tools-do-not-import-apps',
    'tools/src/stack/c.ts',
    "export type { X } from '../../../apps/flush-worker/src/sweep';\n",
  ),
  seed(
    'no-cycles',
    `${CORE}/outbox/cycle-one.ts`,
    "export type { B } from './cycle-two';\nexport type A = 1;\n",
  ),
  seed('no-orphans', `${CORE}/outbox/left-over.ts`, 'export const leftOver = 1;\n'),
];

export const STRUCTURE_SEEDS: readonly Seed[] = [
  seed('only-four-doors', `${CORE}/postgres.ts`, "export * from './postgres/store';\n"),
  seed('no-inner-barrels', `${CORE}/tracking/index.ts`, "export * from './receipt-poller';\n"),
  seed(
    'no-empty-names',
    'apps/api/src/string-utils.ts',
    "export type { X } from '@noncekit/nonce-core';\n",
  ),
  seed(
    'known-test-kinds',
    'libs/nonce-core/test/integration/store.test.ts',
    "import '../../src/index';\n",
  ),
  seed(
    'every-engine-passes-the-contract',
    'libs/nonce-core/test/contract/segment.contract-spec.ts',
    "import '../../src/index'; // describeNonceEngine is not called here\n",
  ),
];

/** What the seeds need beside them: the way back of the cycle, the engine without a suite. */
export const SEED_SUPPORT: Readonly<Record<string, string>> = {
  [`${CORE}/outbox/cycle-two.ts`]: "export type { A } from './cycle-one';\n",
  [`${CORE}/engines/segment/segment-engine.ts`]: "export type { X } from '../../domain/nonce';\n",
};
