import type { LookupTrouble } from '@noncekit/nonce-core/ports';
import type { RpcReply } from './json-rpc';

/** JSON-RPC's own codes for a question that is wrong as it stands. */
const BAD_REQUEST_CODES: readonly (number | null)[] = [-32_600, -32_601, -32_602];
/** EIP-1474: limit exceeded. */
const LIMIT_EXCEEDED_CODE = -32_005;
const LIMIT_WORDS = /\b(?:rate.?limit|too many requests|limit exceeded|exceeded .*quota|throttl)/i;

/** Soonest worth another try first. */
const BY_HOPE: readonly LookupTrouble[] = ['broken', 'rate-limited', 'bad-request'];

/** What kept one provider from answering a lookup; an answer of any kind is `broken` unless it says more. */
export function troubleOf(reply: RpcReply | undefined): LookupTrouble {
  if (reply?.kind === 'failed') return reply.failure === 'rate-limited' ? 'rate-limited' : 'broken';
  if (reply?.kind !== 'error') return 'broken';
  if (reply.code === LIMIT_EXCEEDED_CODE || LIMIT_WORDS.test(reply.message)) return 'rate-limited';
  return BAD_REQUEST_CODES.includes(reply.code) ? 'bad-request' : 'broken';
}

/** Of several providers, the one that may answer soonest sets the pace. */
export function soonestOf(troubles: readonly LookupTrouble[]): LookupTrouble {
  return BY_HOPE.find((trouble) => troubles.includes(trouble)) ?? 'broken';
}
