import { readFileSync } from 'node:fs';
import type { FieldProblem, Hex } from '@noncekit/nonce-core';

const KEY = /^0x[0-9a-f]{64}$/i;

/** Settings that name a file of private keys. */
export type KeyFileSetting = 'NONCE_BURN_KEYS_FILE' | 'NONCE_SIGNER_KEYS_FILE';

/** Either has problems, which name every bad line but never show it, or may be used. */
export interface KeyFile {
  readonly keys: readonly Hex[];
  readonly problems: readonly FieldProblem[];
}

/** One private key per line, 0x and 64 hexadecimal digits; empty lines and lines with a # in front are left out. */
export function readKeyFile(setting: KeyFileSetting, path: string): KeyFile {
  const pointer = `/${setting}`;
  const unusable = (detail: string): KeyFile => ({ keys: [], problems: [{ pointer, detail }] });
  const lines = linesOf(path);
  if (lines === null) return unusable(`names a file that cannot be read: ${path}`);
  const keys: Hex[] = [];
  const problems: FieldProblem[] = [];
  for (const [index, line] of lines.entries()) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    if (isKey(text)) keys.push(text);
    else {
      const detail = 'must be 0x and 64 hexadecimal digits';
      problems.push({ pointer: `${pointer}/${index + 1}`, detail });
    }
  }
  return keys.length + problems.length === 0
    ? unusable('names a file without keys')
    : { keys, problems };
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
