export interface RpcRequest {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** Why there is no answer at all. The text of a node is never one of these: it is an answer. */
export type RpcFailure = 'timeout' | 'unreachable' | 'http' | 'rate-limited' | 'malformed';

export interface RpcErrorAnswer {
  readonly kind: 'error';
  readonly code: number | null;
  /** The node's own words, without secrets of the URL. */
  readonly message: string;
}

export interface RpcFailed {
  readonly kind: 'failed';
  readonly failure: RpcFailure;
  readonly message: string;
}

/** What became of one request at one provider. */
export type RpcReply =
  { readonly kind: 'result'; readonly value: unknown } | RpcErrorAnswer | RpcFailed;

export const failed = (failure: RpcFailure, message: string): RpcFailed => ({
  kind: 'failed',
  failure,
  message,
});

/** Nodes that answer with this text put what they mean into `data.message`. */
const SAYS_NOTHING = /^internal (?:json-?rpc )?error\.?$/i;

/**
 * Reads one member of an answer, which must carry the id of its request: an answer to another
 * request is worse than none. Only an error may come without id, as nodes send it for requests they
 * could not read.
 */
export function readReply(answer: unknown, id: number): RpcReply {
  if (!isRecord(answer)) return failed('malformed', 'the answer is not JSON-RPC');
  const { error } = answer;
  if (answer['id'] !== id && !(isRecord(error) && answer['id'] == null)) {
    return failed('malformed', 'the answer belongs to another request');
  }
  if (isRecord(error)) return readError(error);
  if (!('result' in answer)) return failed('malformed', 'neither result nor error');
  return { kind: 'result', value: answer['result'] };
}

/**
 * Finds the answer to each request by its id, never by its position: providers leave members out
 * and change their order.
 */
export function readBatch(answers: readonly unknown[], ids: readonly number[]): RpcReply[] {
  const byId = new Map<unknown, unknown>();
  for (const answer of answers) if (isRecord(answer)) byId.set(answer['id'], answer);
  return ids.map((id) => {
    const answer = byId.get(id);
    if (answer === undefined) return failed('malformed', 'the batch lacks this answer');
    return readReply(answer, id);
  });
}

function readError(error: Record<string, unknown>): RpcErrorAnswer {
  const code = typeof error['code'] === 'number' ? error['code'] : null;
  return { kind: 'error', code, message: messageOf(error) };
}

function messageOf(error: Record<string, unknown>): string {
  const message = typeof error['message'] === 'string' ? error['message'] : '';
  if (message !== '' && !SAYS_NOTHING.test(message)) return message;
  const { data } = error;
  if (typeof data === 'string' && data !== '' && !data.startsWith('0x')) return data;
  if (isRecord(data) && typeof data['message'] === 'string') return data['message'];
  return message;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
