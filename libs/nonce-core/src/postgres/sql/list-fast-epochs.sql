-- Ruling epochs of fast stores in key order, a page after the submitter named.
-- $1 after text  last submitter seen; '' = from the start
-- $2 row_limit integer
SELECT s.submitter, s.epoch, s.incarnation FROM :schema.submitter_nonce_state s
WHERE s.engine = 'performance' AND s.incarnation IS NOT NULL AND s.submitter > $1
ORDER BY s.submitter
LIMIT $2
