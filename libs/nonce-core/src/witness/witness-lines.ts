import { crc32 } from 'node:zlib';
import type { Epoch } from '../domain/epoch';
import type { Submitter } from '../domain/submitter';
import type { ServerStart, Witness } from '../ports/witness.port';

/** One fact per line. */
export type WitnessLine =
  | { readonly kind: 'server'; readonly server: ServerStart }
  | { readonly kind: 'witness'; readonly witness: Witness };

const CHECKSUM_CHARS = 8;

/** `<crc32> <JSON>\n`: a line that was cut off, or that a disk changed, is told apart. */
export function toLine(line: WitnessLine): string {
  const text = JSON.stringify(fieldsOf(line));
  return `${checksum(text)} ${text}\n`;
}

/**
 * Reads what is whole and leaves the rest. Each line stands for itself, and every fact is "at least
 * this much", so an unreadable one takes nothing from the others.
 */
export function readLines(content: string): readonly WitnessLine[] {
  const lines: WitnessLine[] = [];
  // What follows the last line end was not written to its end.
  for (const line of content.split('\n').slice(0, -1)) {
    const text = line.slice(CHECKSUM_CHARS + 1);
    if (line[CHECKSUM_CHARS] !== ' ' || checksum(text) !== line.slice(0, CHECKSUM_CHARS)) continue;
    const read = parse(text);
    if (read !== null) lines.push(read);
  }
  return lines;
}

function fieldsOf(line: WitnessLine): readonly (string | number)[] {
  if (line.kind === 'witness') {
    const { submitter, epoch, ceiling } = line.witness;
    return ['w', submitter, epoch, ceiling];
  }
  const { systemId, startedAt, timeline, lsn } = line.server;
  return ['s', systemId, startedAt, timeline, lsn];
}

/** null for a line of a later version: it cannot be judged, and it is no reason to fail. */
function parse(text: string): WitnessLine | null {
  const fields = JSON.parse(text) as unknown;
  if (!Array.isArray(fields)) return null;
  const [kind, ...rest] = fields as unknown[];
  const [first, second, third, fourth] = rest;
  if (kind === 'w' && typeof first === 'string' && isCount(second) && isCount(third)) {
    const witness = { submitter: first as Submitter, epoch: second as Epoch, ceiling: third };
    return { kind: 'witness', witness };
  }
  const texts = [first, second, third, fourth].filter((field) => typeof field === 'string');
  const [systemId, startedAt, timeline, lsn] = texts;
  if (kind !== 's' || lsn === undefined) return null;
  if (systemId === undefined || startedAt === undefined || timeline === undefined) return null;
  return { kind: 'server', server: { systemId, startedAt, timeline, lsn } };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(CHECKSUM_CHARS, '0');
}
