import type { ConfiguredChain } from '../ports/chain.port';
import type { TrackedAllocation } from '../ports/tracking-store.port';
import type { TrackingDecision, TrackingRules } from './tracking-decision';

/** One row of a look, and what is to be done about it. */
export type Decided = readonly [TrackedAllocation, TrackingDecision];

/** What the rows of one chain are judged by. */
export interface Judging {
  readonly chain: ConfiguredChain;
  readonly rules: TrackingRules;
}
