/**
 * Every error a caller can meet: HTTP status, whether the same call may be repeated, what it means
 * and how it is mended. Callers branch on the code; texts may change.
 */
export interface ErrorEntry {
  readonly status: number;
  /** True when the identical call can succeed later without any change by the caller. */
  readonly retryable: boolean;
  readonly title: string;
  readonly fix: string;
}

const entry = (status: number, retryable: boolean, title: string, fix: string): ErrorEntry => ({
  status,
  retryable,
  title,
  fix,
});

export const ERROR_CATALOGUE = {
  NONCE_VALIDATION: entry(
    400,
    false,
    'The request does not have the documented form.',
    'Correct the fields named in `errors` and send the request again.',
  ),
  NONCE_UNAUTHENTICATED: entry(
    401,
    false,
    'No valid API key was sent.',
    'Send `Authorization: Bearer <key>` with a key that is not revoked or expired.',
  ),
  NONCE_FORBIDDEN: entry(
    403,
    false,
    'The API key lacks the scope of this route.',
    'Use a key that has the scope named in `context.scope`.',
  ),
  NONCE_SUBMITTER_UNKNOWN: entry(
    404,
    false,
    'No nonce was ever issued for this submitter.',
    'Check chain id and address; a submitter comes into being with its first allocation.',
  ),
  NONCE_CHAIN_UNKNOWN: entry(
    422,
    false,
    'The chain of this submitter is not configured.',
    'Add the chain to `chains` (or `NONCE_CHAINS`), or correct the chain id.',
  ),
  NONCE_ALLOCATION_UNKNOWN: entry(
    404,
    false,
    'No allocation has this id.',
    'Check the id; send `submitter`, `nonce` and `epoch` with an intent that may not be flushed yet.',
  ),
  NONCE_ALLOCATION_CLOSED: entry(
    409,
    false,
    'The allocation has ended or moved past the stage in which this call applies.',
    'Read the allocation and go on from its stage; nothing was changed.',
  ),
  NONCE_FENCED: entry(
    409,
    false,
    'The nonce belongs to another holder now; this holder must not send.',
    'Forget this allocation and allocate again. Never send bytes signed for it.',
  ),
  NONCE_RECYCLE_UNSAFE: entry(
    409,
    false,
    'The nonce may already be on its way to the chain and cannot be recycled.',
    'Report the hash with `submitted` or `used`, or let the tracker find the outcome.',
  ),
  NONCE_OUTCOME_UNKNOWN: entry(
    409,
    false,
    'A transaction may be out at this nonce and its outcome is not known yet.',
    'Follow the allocation id, or repeat with the same operationId. Do not run the work on another nonce.',
  ),
  NONCE_RETRY_EXHAUSTED: entry(
    409,
    false,
    'The handler asked for a retry more often than allowed; the nonce stays reserved.',
    'Come back with the same operationId before the deadline, or release the allocation.',
  ),
  NONCE_OPERATION_FAILED: entry(
    422,
    false,
    'The handler reported a failure before sending; its nonce was released.',
    'Correct what the handler reported, then run the operation again.',
  ),
  NONCE_IDEMPOTENCY_REUSED: entry(
    422,
    false,
    'The idempotency key or operation id was used before with another request.',
    'Use a new key for a new request, or repeat the first request unchanged.',
  ),
  NONCE_IN_FLIGHT_LIMIT: entry(
    429,
    true,
    'The submitter already has as many nonces in flight as allowed.',
    'Wait for earlier transactions to be mined, or raise `maxInFlight`.',
  ),
  NONCE_PAUSED: entry(
    423,
    true,
    'The submitter is paused and issues no nonces.',
    'Resume it with `POST /v1/submitters/{submitter}/resume`.',
  ),
  NONCE_BACKPRESSURE: entry(
    503,
    true,
    'Too many calls are waiting; this one was refused before anything was written.',
    'Repeat with back-off; raise the queue limit if this lasts.',
  ),
  NONCE_MODE_SWITCHING: entry(
    503,
    true,
    'A mode switch did not finish within the time this call may wait.',
    'Repeat with back-off.',
  ),
  NONCE_MODE_PREFLIGHT_FAILED: entry(
    409,
    false,
    'The mode switch was refused by its preflight checks.',
    'Mend the failed checks named in `context` and ask again.',
  ),
  NONCE_PRECONDITION: entry(
    412,
    false,
    'The resource changed since it was read.',
    'Read it again and repeat with the new `If-Match` value.',
  ),
  NONCE_STORE_UNAVAILABLE: entry(
    503,
    true,
    'A store that this call needs does not answer.',
    'Repeat with back-off. An allocation whose reply was lost is found again by its operationId.',
  ),
  NONCE_RECOVERY_HOLD: entry(
    503,
    false,
    'The database may have been restored to an older state; nothing is issued until that is settled.',
    'Run the reconciliation, or confirm the state as an operator.',
  ),
  NONCE_CHAIN_UNREACHABLE: entry(
    503,
    true,
    'No RPC provider of the chain gave a trusted answer.',
    'Check `context.providers`; repeat with back-off.',
  ),
  NONCE_CHAIN_MISMATCH: entry(
    409,
    false,
    'An RPC provider serves another chain than configured.',
    'Correct the RPC URLs of the chain.',
  ),
  NONCE_CHAIN_RESET: entry(
    409,
    false,
    'The chain has another genesis block than the one remembered.',
    'Re-baseline the submitter if the chain was reset on purpose.',
  ),
  NONCE_OUT_OF_RANGE: entry(
    422,
    false,
    'The nonce lies outside [0, 2^53 - 2].',
    'Use another account; no larger nonce can be issued exactly.',
  ),
  NONCE_REDIS_EVICTION: entry(
    503,
    false,
    'Redis may evict keys, so it cannot hold nonces.',
    'Set `maxmemory-policy noeviction`.',
  ),
  NONCE_SCHEMA_BEHIND: entry(
    503,
    false,
    'The database schema is older than this program.',
    'Run the migrations: `npm run migrate`.',
  ),
  NONCE_CONFIG_INVALID: entry(
    500,
    false,
    'The configuration is not usable.',
    'Correct every problem named in `errors`; they are all listed at once.',
  ),
  NONCE_NOT_FOUND: entry(
    404,
    false,
    'This address does not exist.',
    'See `/openapi.json` for the routes.',
  ),
  NONCE_INTERNAL: entry(
    500,
    false,
    'An unexpected error occurred.',
    'Report it with the `requestId`; see the log for the cause.',
  ),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;
