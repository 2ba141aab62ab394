import type { AllocationSource, Exposure } from '../domain/allocation';
import { NonceError } from '../domain/errors/nonce-error';
import type { FlushEvent } from '../ports/fast-store.port';
import { decodeFlushEvent } from './flush-event-fields';

/** One letter each, as the scripts keep them in every snapshot. */
export const EXPOSURE_LETTERS: Readonly<Record<Exposure, string>> = {
  declared: 'd',
  inferred: 'i',
  assumed: 'a',
};

const SOURCES: Readonly<Record<string, AllocationSource>> = {
  f: 'fresh',
  c: 'recycled',
  p: 'replacement',
};

export function sourceOf(letter: unknown): AllocationSource {
  const source = SOURCES[String(letter)];
  if (source === undefined) throw unreadable(letter);
  return source;
}

/** @throws NonceError NONCE_INTERNAL: a snapshot that these scripts did not write. */
export function eventOf(fields: unknown): FlushEvent {
  const event = Array.isArray(fields) ? decodeFlushEvent(fields) : null;
  if (event === null) throw unreadable(fields);
  return event;
}

export function unreadable(reply: unknown): NonceError {
  return new NonceError('NONCE_INTERNAL', {
    message: 'The fast store gave a reply that cannot be read.',
    context: { reply: (JSON.stringify(reply) as string | undefined)?.slice(0, 500) },
  });
}
