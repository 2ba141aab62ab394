-- Pauses all submitters of a chain; those that are paused keep their reason.
-- $1 chain_id bigint
-- $2 reason text
UPDATE :schema.submitter_nonce_state s
SET paused_at = clock_timestamp(), paused_reason = $2, updated_at = clock_timestamp()
WHERE s.chain_id = $1 AND s.paused_at IS NULL
RETURNING s.submitter
