import type { FastSettleAnswer, FastSettleRow } from '../ports/fast-store.port';
import type { ViewGroup } from './fast-batches';
import { eventOf, unreadable } from './fast-grant-reply';

/** A word, or the question who holds a nonce. */
export type SettleQuestion =
  FastSettleRow | (Pick<FastSettleRow, 'view' | 'id' | 'nonce'> & { readonly word: 'look' });

/** The arguments of one group, as fast-settle.lua names them. */
export function settleArguments(group: ViewGroup<SettleQuestion>, args: (string | number)[]): void {
  const { submitter, epoch, incarnation } = group.view;
  args.push(submitter, epoch, incarnation, group.rows.length);
  for (const row of group.rows) {
    args.push(row.word, row.id, row.nonce);
    if (row.word === 'look') args.push('', '', 0, 0);
    else args.push(row.txHash ?? '', row.note ?? '', row.ttlMs, row.followable ? 1 : 0);
  }
}

export function settleAnswer(reply: unknown): FastSettleAnswer {
  if (!Array.isArray(reply)) throw unreadable(reply);
  const [kind, fields] = reply as unknown[];
  switch (kind) {
    case 'done':
    case 'same': {
      const event = eventOf(fields);
      const { grant, stage, hashes, note, atMs } = event;
      // What has expired is no longer here, whatever Postgres has just let it know.
      if (stage === 'EXPIRED') return { kind: 'settled', event };
      return { kind, grant, stage, hashes, note, atMs };
    }
    case 'settled':
      return { kind, event: eventOf(fields) };
    case 'fenced':
    case 'unknown':
    case 'stale':
      return { kind };
    default:
      throw unreadable(reply);
  }
}
