-- Ends one recovery by an operator's word; what is in quarantine stays there.
-- $1 submitter text
UPDATE :schema.submitter_nonce_state s
SET recovery_since = NULL, updated_at = clock_timestamp()
WHERE s.submitter = $1 AND s.recovery_since IS NOT NULL AND s.recovery_cursor IS NULL
RETURNING s.submitter
