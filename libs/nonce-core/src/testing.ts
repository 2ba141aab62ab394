export { CONTRACT_FEATURES } from './testing/contract/contract-subject';
export type {
  ContractFeature,
  ContractSubject,
  ContractSubjectFactory,
} from './testing/contract/contract-subject';
export {
  CONTRACT_WINDOW,
  FOLLOWED_CHAIN_ID,
  PLAIN_CHAIN_ID,
  contractWorld,
  type ContractWorld,
} from './testing/contract/contract-world';
export type { ContractHarness } from './testing/contract/harness';
export { describeNonceEngine, type ContractSuiteOptions } from './testing/describe-nonce-engine';
export { FakeChain, type FakeChainOptions } from './testing/fake-chain';
export { FakeClock } from './testing/fake-clock';
export type { FakeTransaction, SignedFakeTransaction } from './testing/fake-transaction';
export { InMemoryNonceEngine, type InMemoryEngineOptions } from './testing/in-memory-nonce-engine';
export { NonceTestingModule, type NonceTestingOptions } from './testing/nonce-testing.module';
