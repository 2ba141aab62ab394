import { HttpRequestError } from 'viem';
import { failed, type RpcFailed } from './json-rpc';

const TOO_MANY_REQUESTS = 429;
const CAUSES_MAX = 5;

/**
 * Says in our own words why a provider gave no answer. viem's texts quote the URL and the request,
 * with keys and signed bytes in them, so nothing of them is passed on.
 */
export function transportFailure(error: unknown, statusSeen: number): RpcFailed {
  const status = error instanceof HttpRequestError ? (error.status ?? statusSeen) : statusSeen;
  if (status === TOO_MANY_REQUESTS) return failed('rate-limited', 'HTTP 429');
  if (status >= 300) return failed('http', `HTTP ${status}`);
  const causes = causesOf(error);
  if (causes.some((cause) => cause instanceof SyntaxError)) {
    return failed('malformed', 'the answer is not JSON');
  }
  const code = causes.map(codeOf).find((found) => found !== null);
  return failed('unreachable', `connection failed${code === undefined ? '' : ` (${code})`}`);
}

function causesOf(error: unknown): readonly unknown[] {
  const causes: unknown[] = [];
  for (let at = error; at instanceof Error && causes.length < CAUSES_MAX; at = at.cause) {
    causes.push(at);
  }
  return causes;
}

/** Codes of Node such as ECONNREFUSED; anything longer or stranger is not one. */
function codeOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  const { code } = error;
  return typeof code === 'string' && /^[A-Z_]{3,40}$/.test(code) ? code : null;
}
