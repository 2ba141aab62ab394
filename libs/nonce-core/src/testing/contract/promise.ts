import type { ContractBench } from './contract-bench';
import type { ContractFeature } from './contract-subject';

/** One sentence of the contract and how it is tried. */
export interface ContractPromise {
  readonly sentence: string;
  /** Features without which the sentence means nothing. */
  readonly needs?: readonly ContractFeature[];
  readonly keep: (bench: ContractBench) => Promise<void>;
}
