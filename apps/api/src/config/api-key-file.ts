import { readFileSync } from 'node:fs';
import {
  API_SCOPES,
  type AccessStore,
  type ApiScope,
  type FieldProblem,
} from '@noncekit/nonce-core';
import { digestOfKey } from '../http/authenticator';

const NAME = /^[A-Za-z0-9._-]{1,64}$/;
/** 24 random base64 characters are 144 bits; shorter keys could be guessed from their digest. */
const KEY = /^[A-Za-z0-9._~+/=-]{24,512}$/;

export interface KeyLine {
  readonly name: string;
  readonly scopes: readonly ApiScope[];
  readonly digest: string;
}

/** Either has problems, which name every bad line but never its key, or may be used. */
export interface ApiKeyFile {
  readonly keys: readonly KeyLine[];
  readonly problems: readonly FieldProblem[];
}

type LineReading = { readonly key: KeyLine } | { readonly detail: string };

/**
 * Reads `NONCE_API_KEYS_FILE`: one `name:scope,scope:key` per line, empty lines and lines that
 * start with `#` are left out. Scopes contain a colon themselves, so the name ends at the first
 * colon of the line and the key starts after the last.
 */
export function readApiKeyFile(path: string): ApiKeyFile {
  const lines = linesOf(path);
  if (lines === null) {
    const detail = `names a file that cannot be read: ${path}`;
    return { keys: [], problems: [{ pointer: '/NONCE_API_KEYS_FILE', detail }] };
  }
  const keys: KeyLine[] = [];
  const problems: FieldProblem[] = [];
  for (const [index, line] of lines.entries()) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    const reading = readLine(text);
    if ('key' in reading) keys.push(reading.key);
    else problems.push({ pointer: `/NONCE_API_KEYS_FILE/${index + 1}`, detail: reading.detail });
  }
  return { keys, problems };
}

/** Adds the keys, or sets their scopes anew. A key that left the file stays until it is revoked. */
export async function storeApiKeys(keys: readonly KeyLine[], store: AccessStore): Promise<void> {
  for (const key of keys) await store.saveKey(key);
}

function linesOf(path: string): readonly string[] | null {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return null;
  }
}

function readLine(text: string): LineReading {
  const first = text.indexOf(':');
  const last = text.lastIndexOf(':');
  if (first === last) return { detail: 'must be name:scope,scope:key' };
  const name = text.slice(0, first);
  const scopes = text
    .slice(first + 1, last)
    .split(',')
    .map((scope) => scope.trim());
  const key = text.slice(last + 1);
  if (!NAME.test(name)) return { detail: 'the name must be 1 to 64 of A-Z, a-z, 0-9, ., _, -' };
  if (!scopes.every(isScope)) return { detail: `scopes must be of ${API_SCOPES.join(', ')}` };
  if (!KEY.test(key)) return { detail: 'the key must have 24 to 512 URL-safe characters' };
  return { key: { name, scopes, digest: digestOfKey(key) } };
}

function isScope(text: string): text is ApiScope {
  return (API_SCOPES as readonly string[]).includes(text);
}
