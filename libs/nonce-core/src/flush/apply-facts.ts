import type { QuarantinePolicy } from '../domain/quarantine-policy';
import type { FlushEvent } from '../ports/fast-store.port';
import type { FlushStore, QueuedEvent } from '../ports/flush-store.port';
import { applyBatch } from './apply-batch';

export interface ApplyFactsDeps {
  readonly store: FlushStore;
  readonly shardOf: (submitter: FlushEvent['grant']['submitter']) => number;
}

export interface ApplyFactsSettings {
  readonly quarantine: QuarantinePolicy;
  /** Facts per transaction. */
  readonly batchMax: number;
}

/**
 * Makes rows of facts that a fast store told outside its stream. One that cannot be applied is kept
 * as a dead letter with its nonce in quarantine: it must not keep its epoch open for ever.
 * @throws NonceError NONCE_STORE_UNAVAILABLE.
 */
export async function applyFacts(
  deps: ApplyFactsDeps,
  { quarantine, batchMax }: ApplyFactsSettings,
  facts: readonly FlushEvent[],
): Promise<void> {
  for (let from = 0; from < facts.length; from += batchMax) {
    const batch = facts.slice(from, from + batchMax).map((fact) => toDelivery(deps, fact));
    const { failed, unavailable } = await applyBatch(deps, { quarantine }, batch);
    if (unavailable !== null) throw unavailable;
    for (const { event, reason } of failed) await deps.store.bury(event, reason, quarantine);
  }
}

/** Named by what it is about, so that the same fact is buried once. */
function toDelivery({ shardOf }: ApplyFactsDeps, event: FlushEvent): QueuedEvent {
  const { submitter, id } = event.grant;
  return {
    shard: shardOf(submitter),
    entryId: `${id}/${String(event.rank)}`,
    event,
    text: JSON.stringify(event),
    deliveries: 1,
  };
}
