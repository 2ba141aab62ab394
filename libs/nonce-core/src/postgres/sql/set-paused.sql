-- Pauses or resumes a submitter; a repeated pause keeps its first instant and takes the new reason.
-- $1 submitter text
-- $2 paused boolean
-- $3 reason text
UPDATE :schema.submitter_nonce_state s
SET paused_at = CASE WHEN $2 THEN coalesce(s.paused_at, clock_timestamp()) END,
    paused_reason = CASE WHEN $2 THEN $3 END,
    updated_at = clock_timestamp()
WHERE s.submitter = $1
RETURNING s.submitter
