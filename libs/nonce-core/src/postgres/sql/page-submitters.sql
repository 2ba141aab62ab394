-- Submitters behind a cursor, in key order; with `hot` those of which the chain has not finally
-- consumed every issued nonce.
-- $1 behind text
-- $2 hot boolean
-- $3 row_limit integer
SELECT s.submitter, s.chain_latest_count AS latest, s.next_local_nonce AS next,
  s.ceiling, s.max_in_flight AS own_window
FROM :schema.submitter_nonce_state s
WHERE s.submitter > $1
  AND (NOT $2 OR s.next_local_nonce > coalesce(s.chain_finalized_count, -1))
ORDER BY s.submitter
LIMIT $3
