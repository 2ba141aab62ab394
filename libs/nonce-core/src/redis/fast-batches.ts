import type { Submitter } from '../domain/submitter';
import type { FastView } from '../ports/fast-store.port';
import type { FastKeys } from './fast-keys';
import type { ScriptCall } from './run-fast-script';

/** Rows of one view in the order of their batch; `positions` says where each stood in it. */
export interface ViewGroup<Row> {
  readonly view: FastView;
  readonly rows: Row[];
  readonly positions: number[];
}

/** What one script run is for. */
export interface ShardBatch<Row> {
  readonly shard: number;
  readonly groups: ViewGroup<Row>[];
}

/** Gathers rows by shard and view; equal views that are different objects make several groups. */
export function byShard<Row extends { readonly view: FastView }>(
  keys: FastKeys,
  rows: readonly Row[],
): readonly ShardBatch<Row>[] {
  const shards = new Map<number, ShardBatch<Row>>();
  const groups = new Map<FastView, ViewGroup<Row>>();
  rows.forEach((row, position) => {
    let group = groups.get(row.view);
    if (group === undefined) {
      group = { view: row.view, rows: [], positions: [] };
      groups.set(row.view, group);
      const shard = keys.shardOf(row.view.submitter);
      const batch = shards.get(shard);
      if (batch === undefined) shards.set(shard, { shard, groups: [group] });
      else batch.groups.push(group);
    }
    group.rows.push(row);
    group.positions.push(position);
  });
  return [...shards.values()];
}

/** A call with the keys that a script takes for these submitters: mode, events, then theirs. */
export function callFor(
  keys: FastKeys,
  shard: number,
  { submitters, args }: { submitters: readonly Submitter[]; args: (string | number)[] },
): ScriptCall {
  const names = [keys.mode(shard), keys.events(shard)];
  for (const submitter of submitters) names.push(...keys.ofSubmitter(submitter));
  return { keys: names, args };
}
