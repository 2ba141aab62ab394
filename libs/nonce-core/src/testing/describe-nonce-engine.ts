import type { NonceEngine } from '../ports/engine.port';
import { ALLOCATION_PROMISES } from './contract/allocation-promises';
import { BLOCK_PROMISES } from './contract/block-promises';
import { BOUNDARY_PROMISES } from './contract/boundary-promises';
import { ContractBench } from './contract/contract-bench';
import type {
  ContractFeature,
  ContractSubject,
  ContractSubjectFactory,
} from './contract/contract-subject';
import { DEADLINE_PROMISES } from './contract/deadline-promises';
import { globalHarness, type ContractHarness } from './contract/harness';
import { HOLDER_MATRIX } from './contract/holder-matrix';
import { HOLDER_PROMISES } from './contract/holder-promises';
import { OPERATION_PROMISES } from './contract/operation-promises';
import { PARTITION_PROMISES } from './contract/partition-promises';
import type { ContractPromise } from './contract/promise';

export interface ContractSuiteOptions {
  /** Features this engine declares as lacking; their sentences are left out, all others must hold. */
  readonly lacks?: readonly ContractFeature[];
  /** The test runner's functions, when they are not in the global scope. */
  readonly harness?: ContractHarness;
}

const CHAPTERS: Readonly<Record<string, readonly ContractPromise[]>> = {
  'which nonce a caller gets': ALLOCATION_PROMISES,
  blocks: BLOCK_PROMISES,
  operations: OPERATION_PROMISES,
  'commands of holders': HOLDER_PROMISES,
  'every command in every stage': HOLDER_MATRIX,
  'deadlines and quarantine': DEADLINE_PROMISES,
  'identity and exact numbers': BOUNDARY_PROMISES,
  'exact partition': PARTITION_PROMISES,
};

/**
 * The contract of every engine, as a suite of sentences. Build the engine under test with
 * `contractWorld()`; one subject serves the whole suite, since each sentence uses submitters of its
 * own. After each sentence the exact partition (S12) of all its submitters is checked.
 */
export function describeNonceEngine(
  name: string,
  factory: ContractSubjectFactory,
  options: ContractSuiteOptions = {},
): void {
  const harness = options.harness ?? globalHarness();
  const lacks = options.lacks ?? [];
  harness.describe(`${name} keeps the engine contract`, () => {
    let subject: ContractSubject;
    let secondNode: NonceEngine;
    harness.beforeAll(async () => {
      subject = await factory();
      secondNode = lacks.includes('several-nodes') ? subject.engine : await subject.secondNode();
    });
    harness.afterAll(async () => subject.close());
    for (const [chapter, promises] of Object.entries(CHAPTERS)) {
      harness.describe(chapter, () => {
        for (const promise of promises) {
          if (promise.needs?.some((feature) => lacks.includes(feature))) continue;
          harness.it(promise.sentence, async () => {
            const bench = new ContractBench(subject, secondNode);
            await promise.keep(bench);
            await bench.assertPartitions();
          });
        }
      });
    }
  });
}
