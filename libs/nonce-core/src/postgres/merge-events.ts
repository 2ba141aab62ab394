import type { EventStage, FlushEvent } from '../ports/fast-store.port';

/** What later words about one grant may change; a release after anything else is not believed. */
const MAY_FOLLOW: Readonly<Record<EventStage, readonly EventStage[]>> = {
  GRANTED: ['GRANTED', 'BROADCAST', 'ASSERTED', 'REUSABLE', 'QUARANTINED', 'EXPIRED'],
  BROADCAST: ['ASSERTED'],
  ASSERTED: [],
  REUSABLE: ['BROADCAST', 'ASSERTED', 'QUARANTINED'],
  QUARANTINED: ['BROADCAST', 'ASSERTED'],
  EXPIRED: ['BROADCAST', 'ASSERTED'],
};

/**
 * One event per grant, with its last word and every hash said, sorted by submitter, nonce, epoch
 * and generation. Whoever applies the result writes each row once, whatever a batch repeats.
 */
export function mergeEvents(events: readonly FlushEvent[]): readonly FlushEvent[] {
  const groups = new Map<string, FlushEvent[]>();
  for (const event of events) {
    const { id, submitter, nonce, epoch, generation } = event.grant;
    const key = `${id} ${submitter} ${String(nonce)} ${String(epoch)} ${String(generation)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [event]);
    else group.push(event);
  }
  return [...groups.values()].map(mergeGrant).sort(byKey);
}

/** True where both are about one nonce. */
export function sameNonce(left: FlushEvent, right: FlushEvent | undefined): boolean {
  return (
    right !== undefined &&
    left.grant.nonce === right.grant.nonce &&
    left.grant.submitter === right.grant.submitter
  );
}

function mergeGrant(group: FlushEvent[]): FlushEvent {
  if (group.length > 1) group.sort((left, right) => left.rank - right.rank);
  return group.reduce((known, next) => ({
    grant: next.grant,
    stage: MAY_FOLLOW[known.stage].includes(next.stage) ? next.stage : known.stage,
    rank: next.rank,
    hashes:
      next.hashes.length === 0 ? known.hashes : [...new Set([...known.hashes, ...next.hashes])],
    note: next.note ?? known.note,
    atMs: next.atMs,
  }));
}

/** The order in which rows are locked: text by its bytes, as the C collation compares it. */
function byKey({ grant: left }: FlushEvent, { grant: right }: FlushEvent): number {
  if (left.submitter !== right.submitter) return left.submitter < right.submitter ? -1 : 1;
  return left.nonce - right.nonce || left.epoch - right.epoch || left.generation - right.generation;
}
