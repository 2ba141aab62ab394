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

export const ERROR_CATALOGUE = {
  NONCE_VALIDATION: {
    status: 400,
    retryable: false,
    title: 'The request does not have the documented form.',
    fix: 'Correct the fields named in `errors` and send the request again.',
  },
  NONCE_UNAUTHENTICATED: {
    status: 401,
    retryable: false,
    title: 'No valid API key was sent.',
    fix: 'Send `Authorization: Bearer <key>` with a key that is not revoked or expired.',
  },
  NONCE_FORBIDDEN: {
    status: 403,
    retryable: false,
    title: 'The API key lacks the scope of this route.',
    fix: 'Use a key that has the scope named in `context.scope`.',
  },
  NONCE_SUBMITTER_UNKNOWN: {
    status: 404,
    retryable: false,
    title: 'No nonce was ever issued for this submitter.',
    fix: 'Check chain id and address; a submitter comes into being with its first allocation.',
  },
  NONCE_CHAIN_UNKNOWN: {
    status: 422,
    retryable: false,
    title: 'The chain of this submitter is not configured.',
    fix: 'Add the chain to `chains` (or `NONCE_CHAINS`), or correct the chain id.',
  },
  NONCE_ALLOCATION_UNKNOWN: {
    status: 404,
    retryable: false,
    title: 'No allocation has this id.',
    fix: 'Check the id. An allocation of the performance mode may not be flushed yet: read it again shortly, and send `submitter`, `nonce` and `epoch` of its answer with every command.',
  },
  NONCE_ALLOCATION_CLOSED: {
    status: 409,
    retryable: false,
    title: 'The allocation has ended or moved past the stage in which this call applies.',
    fix: 'Read the allocation and go on from its stage; nothing was changed.',
  },
  NONCE_FENCED: {
    status: 409,
    retryable: false,
    title: 'The nonce belongs to another holder now; this holder must not send.',
    fix: 'Forget this allocation and allocate again. Never send bytes signed for it.',
  },
  NONCE_RECYCLE_UNSAFE: {
    status: 409,
    retryable: false,
    title: 'The nonce may already be on its way to the chain and cannot be recycled.',
    fix: 'Report the hash with `submitted` or `used`, or let the tracker find the outcome.',
  },
  NONCE_OUTCOME_UNKNOWN: {
    status: 409,
    retryable: false,
    title: 'A transaction may be out at this nonce and its outcome is not known yet.',
    fix: 'Follow the allocation id, or repeat with the same operationId. Do not run the work on another nonce.',
  },
  NONCE_RETRY_EXHAUSTED: {
    status: 409,
    retryable: false,
    title: 'The handler asked for a retry more often than allowed; the nonce stays reserved.',
    fix: 'Come back with the same operationId before the deadline, or release the allocation.',
  },
  NONCE_OPERATION_FAILED: {
    status: 422,
    retryable: false,
    title: 'The handler reported a failure before sending; its nonce was released.',
    fix: 'Correct what the handler reported, then run the operation again.',
  },
  NONCE_IDEMPOTENCY_REUSED: {
    status: 422,
    retryable: false,
    title: 'The idempotency key or operation id was used before with another request.',
    fix: 'Use a new key for a new request, or repeat the first request unchanged.',
  },
  NONCE_IN_FLIGHT_LIMIT: {
    status: 429,
    retryable: true,
    title: 'The submitter already has as many nonces in flight as allowed.',
    fix: 'Wait for earlier transactions to be mined, or raise `maxInFlight`.',
  },
  NONCE_PAUSED: {
    status: 423,
    retryable: true,
    title: 'The submitter is paused and issues no nonces.',
    fix: 'Resume it with `POST /v1/submitters/{submitter}/resume`.',
  },
  NONCE_BACKPRESSURE: {
    status: 503,
    retryable: true,
    title: 'Too many calls are waiting; this one was refused before anything was written.',
    fix: 'Repeat with back-off; raise the queue limit if this lasts.',
  },
  NONCE_MODE_SWITCHING: {
    status: 503,
    retryable: true,
    title: 'A mode switch did not finish within the time this call may wait.',
    fix: 'Repeat with back-off.',
  },
  NONCE_MODE_PREFLIGHT_FAILED: {
    status: 409,
    retryable: false,
    title: 'The mode switch was refused by its preflight checks.',
    fix: 'Mend the failed checks named in `context` and ask again.',
  },
  NONCE_PRECONDITION: {
    status: 412,
    retryable: false,
    title: 'The resource changed since it was read.',
    fix: 'Read it again and repeat with the new `If-Match` value.',
  },
  NONCE_STORE_UNAVAILABLE: {
    status: 503,
    retryable: true,
    title: 'A store that this call needs does not answer.',
    fix: 'Repeat with back-off. An allocation whose reply was lost is found again by its operationId.',
  },
  NONCE_RECOVERY_HOLD: {
    status: 503,
    retryable: false,
    title:
      'The database may have been restored to an older state; nothing is issued until that is settled.',
    fix: 'Run the reconciliation, or confirm the state as an operator.',
  },
  NONCE_CHAIN_UNREACHABLE: {
    status: 503,
    retryable: true,
    title: 'No RPC provider of the chain gave a trusted answer.',
    fix: 'Check `context.providers`; repeat with back-off.',
  },
  NONCE_CHAIN_MISMATCH: {
    status: 409,
    retryable: false,
    title: 'An RPC provider serves another chain than configured.',
    fix: 'Correct the RPC URLs of the chain.',
  },
  NONCE_CHAIN_RESET: {
    status: 409,
    retryable: false,
    title: 'The chain has another genesis block than the one remembered.',
    fix: 'If the chain was reset on purpose: `noncectl reset`, or `POST /v1/submitters/{submitter}/reset`.',
  },
  NONCE_OUT_OF_RANGE: {
    status: 422,
    retryable: false,
    title: 'The nonce lies outside [0, 2^53 - 2].',
    fix: 'Use another account; no larger nonce can be issued exactly.',
  },
  NONCE_REDIS_EVICTION: {
    status: 503,
    retryable: false,
    title: 'Redis may evict keys, so it cannot hold nonces.',
    fix: 'Set `maxmemory-policy noeviction`.',
  },
  NONCE_SCHEMA_BEHIND: {
    status: 503,
    retryable: false,
    title: 'The database schema is older than this program.',
    fix: 'Run the migrations: `npm run migrate`.',
  },
  NONCE_CONFIG_INVALID: {
    status: 500,
    retryable: false,
    title: 'The configuration is not usable.',
    fix: 'Correct every problem named in `errors`; they are all listed at once.',
  },
  NONCE_NOT_FOUND: {
    status: 404,
    retryable: false,
    title: 'This address does not exist.',
    fix: 'See `/openapi.json` for the routes.',
  },
  NONCE_INTERNAL: {
    status: 500,
    retryable: false,
    title: 'An unexpected error occurred.',
    fix: 'Report it with the `requestId`; see the log for the cause.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;
