/** What stream commands answer, as objects. */
export interface StreamEntry {
  readonly id: string;
  /** Names and values in turn. */
  readonly fields: readonly string[];
}

export interface PendingEntry {
  readonly id: string;
  readonly owner: string;
  /** Time since it was delivered last. */
  readonly idleMs: number;
  readonly deliveries: number;
}

/** Of XREADGROUP; empty when there is nothing. */
export function streamsOf(
  reply: unknown,
): readonly { readonly key: string; readonly entries: readonly StreamEntry[] }[] {
  const streams = (reply ?? []) as readonly (readonly [string, unknown])[];
  return streams.map(([key, entries]) => ({ key, entries: entriesOf(entries) }));
}

/** Of XCLAIM, and of XAUTOCLAIM, which puts a cursor before its entries. */
export function claimedOf(reply: unknown): readonly StreamEntry[] {
  const [first, second] = reply as readonly unknown[];
  return entriesOf(typeof first === 'string' ? second : reply);
}

/** Before Redis 7 an entry that was deleted meanwhile is claimed as null. */
function entriesOf(reply: unknown): readonly StreamEntry[] {
  const entries = reply as readonly (readonly [string, readonly string[] | null] | null)[];
  return entries.flatMap((entry) =>
    entry === null || entry[1] === null ? [] : [{ id: entry[0], fields: entry[1] }],
  );
}

/** Of XPENDING with a range. */
export function pendingOf(reply: unknown): readonly PendingEntry[] {
  const entries = reply as readonly (readonly [string, string, number, number])[];
  return entries.map(([id, owner, idleMs, deliveries]) => ({ id, owner, idleMs, deliveries }));
}
