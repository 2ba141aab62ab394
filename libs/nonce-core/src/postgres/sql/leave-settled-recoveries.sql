-- Ends the recoveries of which no quarantined nonce is open; locked submitters wait for the next time.
WITH settled AS MATERIALIZED (
  SELECT s.submitter FROM :schema.submitter_nonce_state s
  WHERE s.recovery_since IS NOT NULL AND s.recovery_cursor IS NULL
    AND NOT EXISTS (
      SELECT 1 FROM :schema.submitter_nonce_allocation a
      WHERE a.submitter = s.submitter AND a.chain_generation = s.chain_generation
        AND a.stage = 'QUARANTINED' AND a.epoch = s.recovery_epoch)
  ORDER BY s.submitter
  FOR UPDATE SKIP LOCKED
)
UPDATE :schema.submitter_nonce_state s
SET recovery_since = NULL, updated_at = clock_timestamp()
FROM settled t
WHERE s.submitter = t.submitter
RETURNING s.submitter
