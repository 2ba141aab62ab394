import type { SubmitterBaseline } from './allocation-store.port';

export interface RebaselineOrder {
  /** What the new chain shows. */
  readonly baseline: Omit<SubmitterBaseline, 'engine'>;
  readonly reason: string;
  /** Only says what would be done. */
  readonly dryRun: boolean;
}

export interface RebaselineAnswer {
  /** `unchanged`: the remembered genesis is the chain's. `fast`: a fast epoch rules. */
  readonly verdict: 'rebaselined' | 'possible' | 'unchanged' | 'fast';
  readonly knownGenesis: string | null;
  /** As they are, or would be, after it. */
  readonly generation: number;
  readonly epoch: number;
  readonly nextNonce: number;
  /** Nonces of the old generation that may have been sent; their operations keep their answers. */
  readonly kept: number;
  /** Nonces of the old generation that were never exposed. */
  readonly ended: number;
}

/** Starts chain generations. Refused beside an unchanged genesis, whatever the caller believes. */
export interface RebaselineStore {
  /** null when the submitter was never used. Of several at once one finds the genesis changed. */
  rebaseline(order: RebaselineOrder): Promise<RebaselineAnswer | null>;
}
