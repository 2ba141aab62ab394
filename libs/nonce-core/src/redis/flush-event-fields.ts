import { ALLOCATION_SOURCES, EXPOSURES } from '../domain/allocation';
import type { Hex } from '../domain/brand';
import type { Epoch } from '../domain/epoch';
import { toNonce } from '../domain/nonce';
import { parseSubmitter, type Submitter } from '../domain/submitter';
import { EVENT_STAGES, type FastGrant, type FlushEvent } from '../ports/fast-store.port';

/**
 * Reads one event as the scripts write it: names and values in turn.
 *
 *   s submitter   n nonce   e epoch      g generation   r rank       k stage
 *   i id          c source  x exposure   t granted ms   d deadline ms   a at ms
 *   and, where there is one: p operation   m metadata (JSON)   h hashes, by comma   w note
 *
 * Null when it is none of that: a stranger wrote it, or a part of it is gone.
 */
export function decodeFlushEvent(fields: readonly unknown[]): FlushEvent | null {
  const values = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2)
    values.set(String(fields[i]), String(fields[i + 1]));
  try {
    return eventOf(values);
  } catch {
    return null;
  }
}

function eventOf(values: ReadonlyMap<string, string>): FlushEvent {
  const hashes = values.get('h') ?? '';
  return {
    grant: grantOf(values),
    stage: oneOf(EVENT_STAGES, values.get('k')),
    rank: integer(values.get('r')),
    hashes: hashes === '' ? [] : (hashes.split(',') as Hex[]),
    note: values.get('w') ?? null,
    atMs: integer(values.get('a')),
  };
}

function grantOf(values: ReadonlyMap<string, string>): FastGrant {
  const metadata = values.get('m');
  return {
    id: present(values.get('i')),
    submitter: canonical(present(values.get('s'))),
    nonce: toNonce(integer(values.get('n'))),
    epoch: integer(values.get('e')) as Epoch,
    generation: integer(values.get('g')),
    source: oneOf(ALLOCATION_SOURCES, values.get('c')),
    exposure: oneOf(EXPOSURES, values.get('x')),
    operationId: values.get('p') ?? null,
    metadata: metadata === undefined ? null : (JSON.parse(metadata) as FastGrant['metadata']),
    grantedAtMs: integer(values.get('t')),
    deadlineMs: integer(values.get('d')),
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

function oneOf<Word extends string>(words: readonly Word[], value: string | undefined): Word {
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) throw new TypeError('not one of the known words');
  return word;
}
