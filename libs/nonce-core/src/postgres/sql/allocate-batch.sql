-- Answers a batch of allocation requests; the function states guarantee and replies.
-- hot
-- $1 submitters text[]  distinct, in byte order
-- $2 windows integer[]  default window of each submitter, 0 = no limit
-- $3 needs integer[]  nonces wanted per submitter
-- $4 min_ttl_ms integer[]  shortest reservation wanted per submitter
-- $5 request_submitter integer[]  1-based position in $1; requests come sorted by it
-- $6 request_count integer[]
-- $7 request_ttl_ms integer[]
-- $8 request_exposure text[]
-- $9 request_operation text[] null  null when no request names an operation
-- $10 request_hash text[] null
-- $11 request_metadata text[] null  JSON text
-- $12 slot_ids uuid[]  one owner token per wanted nonce, in request order
-- $13 slot_request integer[]  1-based request of each slot
-- $14 slot_rank integer[]  0-based position of each slot within its submitter
-- $15 quarantine_ms integer
-- $16 release text
-- $17 skip_locked boolean
-- $18 retry boolean
-- $19 strict boolean[] null  submitters whose chain refuses a nonce above the next; null = none
-- $20 server text null  start of the verified run of the server; null = not checked
SELECT kind, index, nonce, extra, at_ms, detail
FROM :schema.allocate_batch(
  CASE WHEN :schema.same_server($20) THEN $1::text[] END, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
