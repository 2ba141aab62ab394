import type { TrackedAllocation } from '../ports/tracking-store.port';
import type { TrackingRules } from './tracking-decision';

/** Each one pays at least a tenth more in both fees: ten of them nearly treble it, and no more. */
const MAX_BUMPS_PER_NONCE = 10;

/** Whether the same work may be signed again for more: its bytes are known, and its fee has a bound. */
export function mayBump(row: TrackedAllocation, rules: TrackingRules): boolean {
  if (row.stage !== 'INTENT' && row.stage !== 'BROADCAST') return false;
  const own = row.hashes.length - row.inheritedHashes - row.burnHashes.length;
  return rules.bumps && row.rawTx !== null && own <= MAX_BUMPS_PER_NONCE;
}
