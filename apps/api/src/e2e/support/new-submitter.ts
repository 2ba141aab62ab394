import { randomBytes } from 'node:crypto';

/** A submitter nobody used before, in canonical form. */
export function newSubmitter(chainId = 31_337): string {
  return `eip155:${chainId}:0x${randomBytes(20).toString('hex')}`;
}
