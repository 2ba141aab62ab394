-- What the database says of witnessed submitters; no row for those it does not know.
-- $1 submitters text[]
SELECT s.submitter, s.epoch, s.ceiling, s.recovery_cursor IS NOT NULL AS unfinished
FROM :schema.submitter_nonce_state s
WHERE s.submitter = ANY ($1)
