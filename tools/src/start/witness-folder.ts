import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Stack } from '../stack/stack';

/**
 * Where the processes of this run keep what proves how far nonces were issued. A Postgres of the
 * stack's own is a new one at each start, so that witnesses of the one before would speak of another.
 */
export function witnessFolder(stack: Stack, directory: string): string {
  const given = process.env['NONCE_WITNESS_DIR'];
  if (given !== undefined && given !== '') return given;
  const folder = join(directory, 'witness');
  if (stack.servers.postgres !== undefined) rmSync(folder, { recursive: true, force: true });
  return folder;
}
