import type { Submitter } from '../domain/submitter';
import type { FlushEvent } from '../ports/fast-store.port';
import type { QueuedEvent } from '../ports/flush-store.port';
import { callFor } from './fast-batches';
import type { FastKeys } from './fast-keys';
import type { ScriptCall } from './run-fast-script';

interface Group {
  readonly submitter: Submitter;
  readonly epoch: number;
  readonly events: FlushEvent[];
}

/** Calls of the script that forgets settled grants, one per shard that has any. */
export function pruneCalls(
  keys: FastKeys,
  deliveries: readonly QueuedEvent[],
): readonly ScriptCall[] {
  const shards = new Map<number, Map<string, Group>>();
  for (const { shard, event } of deliveries) {
    if (event === null || !mayBeForgotten(event)) continue;
    const { submitter, epoch } = event.grant;
    const groups = shards.get(shard) ?? new Map<string, Group>();
    shards.set(shard, groups);
    const name = `${submitter} ${String(epoch)}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, { submitter, epoch, events: [event] });
    else group.events.push(event);
  }
  return [...shards].map(([shard, groups]) => callOf(keys, shard, [...groups.values()]));
}

/** Those that are held or free stay known there. */
function mayBeForgotten({ stage }: FlushEvent): boolean {
  return stage !== 'GRANTED' && stage !== 'REUSABLE';
}

function callOf(keys: FastKeys, shard: number, groups: readonly Group[]): ScriptCall {
  const args: (string | number)[] = [groups.length];
  for (const { epoch, events } of groups) {
    args.push(epoch, events.length);
    for (const { grant, rank } of events) args.push(grant.nonce, grant.generation, rank);
  }
  return callFor(keys, shard, { submitters: groups.map(({ submitter }) => submitter), args });
}
