import { readFileSync } from 'node:fs';
import type { FieldProblem, Hex } from '@noncekit/nonce-core';

const KEY = /^0x[0-9a-f]{64}$/i;

/** Either has problems, which name every bad line but never show it, or may be used. */
export interface BurnKeyFile {
  readonly keys: readonly Hex[];
  readonly problems: readonly FieldProblem[];
}

/**
 * Reads `NONCE_BURN_KEYS_FILE`: one private key per line, 0x and 64 hexadecimal digits; empty lines
 * and lines that start with `#` are left out.
 */
export function readBurnKeyFile(path: string): BurnKeyFile {
  const lines = linesOf(path);
  if (lines === null) return unusable(`names a file that cannot be read: ${path}`);
  const keys: Hex[] = [];
  const problems: FieldProblem[] = [];
  for (const [index, line] of lines.entries()) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    if (isKey(text)) keys.push(text);
    else {
      const pointer = `/NONCE_BURN_KEYS_FILE/${index + 1}`;
      problems.push({ pointer, detail: 'must be 0x and 64 hexadecimal digits' });
    }
  }
  return keys.length + problems.length === 0
    ? unusable('names a file without keys')
    : { keys, problems };
}

function unusable(detail: string): BurnKeyFile {
  return { keys: [], problems: [{ pointer: '/NONCE_BURN_KEYS_FILE', detail }] };
}

function linesOf(path: string): readonly string[] | null {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return null;
  }
}

function isKey(text: string): text is Hex {
  return KEY.test(text);
}
