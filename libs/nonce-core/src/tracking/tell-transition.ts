import type { EventSink } from '../ports/events.port';
import type { TrackedTransition } from '../ports/transition-log.port';

/** What a move of a nonce is called towards the outside: which events it makes, in this order. */
export function tellTransition(transition: TrackedTransition, events: EventSink): void {
  const { submitter, nonce, allocationId, from, to, stuck, reason } = transition;
  const of = { submitter, nonce, allocationId };
  if (stuck) events.publish('tx.stuck', { ...of, reason });
  if (from === to) return;
  events.publish('allocation.transition', { ...of, from, to, cause: reason });
  tellTransaction(transition, events);
}

/** A reorg took a transaction out of the chain that was in it. */
export function wasReorged({ from, to }: Pick<TrackedTransition, 'from' | 'to'>): boolean {
  return to === 'BROADCAST' && (from === 'MINED' || from === 'CONFIRMED');
}

function tellTransaction(transition: TrackedTransition, events: EventSink): void {
  const { submitter, nonce, allocationId, to, txHash, blockNumber } = transition;
  if (txHash === null) return;
  const of = { submitter, nonce, allocationId, txHash };
  if (to === 'MINED') events.publish('tx.included', { ...of, blockNumber: blockNumber ?? 0 });
  if (to === 'CONFIRMED') events.publish('tx.confirmed', of);
  if (to === 'FINAL') events.publish('tx.final', of);
  if (wasReorged(transition)) events.publish('tx.reorged', of);
}
