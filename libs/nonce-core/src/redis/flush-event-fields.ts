import type { Hex } from '../domain/brand';
import type { Epoch } from '../domain/epoch';
import { toNonce } from '../domain/nonce';
import { parseSubmitter, type Submitter } from '../domain/submitter';
import type { FastGrant, FlushEvent } from '../ports/fast-store.port';

/** How the scripts write stages, sources and exposures: their first letters, but for one. */
const STAGES = {
  G: 'GRANTED',
  B: 'BROADCAST',
  A: 'ASSERTED',
  R: 'REUSABLE',
  Q: 'QUARANTINED',
  E: 'EXPIRED',
} as const satisfies Record<string, FlushEvent['stage']>;
const SOURCES = { f: 'fresh', c: 'recycled', p: 'replacement' } as const;
const EXPOSURES = { d: 'declared', i: 'inferred', a: 'assumed' } as const;

/** epoch, generation, rank, letters, id, granted ms, then the deadline and its own time from there. */
const SHAPE = /^(\d+) (\d+) (\d+) ([A-Z])([a-z])([a-z]) (\S+) (\d+) (-?\d+) (-?\d+)$/;

/**
 * Reads one event as the scripts write it: names and values in turn.
 *
 *   s submitter   n nonce   v what every event has (see SHAPE)
 *   and, where there is one: p operation   m metadata (JSON)   h hashes, by comma   w note
 *
 * Null when it is none of that: a stranger wrote it, or a part of it is gone.
 */
export function decodeFlushEvent(fields: readonly unknown[]): FlushEvent | null {
  const values: Values = {};
  for (let i = 0; i + 1 < fields.length; i += 2) {
    values[String(fields[i]) as keyof Values] = String(fields[i + 1]);
  }
  try {
    return eventOf(values);
  } catch {
    return null;
  }
}

type Values = Partial<Record<'s' | 'n' | 'v' | 'p' | 'm' | 'h' | 'w', string>>;

function eventOf(values: Values): FlushEvent {
  const parts = SHAPE.exec(present(values.v));
  if (parts === null) throw new TypeError('not what every event has');
  const [, epoch, generation, rank, stage, source, exposure, id, granted, lifetime, since] = parts;
  const grantedAtMs = integer(granted);
  const { s, n, p, m, h = '', w } = values;
  return {
    grant: {
      id: present(id),
      submitter: canonical(present(s)),
      nonce: toNonce(integer(n)),
      epoch: integer(epoch) as Epoch,
      generation: integer(generation),
      source: meant(SOURCES, source),
      exposure: meant(EXPOSURES, exposure),
      operationId: p ?? null,
      metadata: m === undefined ? null : (JSON.parse(m) as FastGrant['metadata']),
      grantedAtMs,
      deadlineMs: time(grantedAtMs + Number(lifetime)),
    },
    stage: meant(STAGES, stage),
    rank: integer(rank),
    hashes: h === '' ? [] : (h.split(',') as Hex[]),
    note: w ?? null,
    atMs: time(grantedAtMs + Number(since)),
  };
}

function canonical(text: string): Submitter {
  const submitter = parseSubmitter(text);
  if (submitter !== text) throw new TypeError('the submitter is not canonical');
  return submitter;
}

function present(value: string | undefined): string {
  if (value === undefined || value === '') throw new TypeError('a field is missing');
  return value;
}

function integer(value: string | undefined): number {
  const number = Number(present(value));
  if (!Number.isSafeInteger(number) || number < 0) throw new TypeError('not an exact integer');
  return number;
}

function time(ms: number): number {
  if (!Number.isSafeInteger(ms) || ms < 0) throw new TypeError('not a time');
  return ms;
}

function meant<Word>(words: Readonly<Record<string, Word>>, letter: string | undefined): Word {
  const word = letter === undefined ? undefined : words[letter];
  if (word === undefined) throw new TypeError('not one of the known words');
  return word;
}
