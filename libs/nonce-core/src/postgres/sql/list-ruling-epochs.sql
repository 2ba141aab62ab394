-- Ruling performance epochs, a page in key order.
-- $1 after text null  the last submitter of the page before; null = from the start
-- $2 limit integer
SELECT s.submitter, s.epoch, s.incarnation FROM :schema.submitter_nonce_state s
WHERE s.engine = 'performance' AND s.incarnation IS NOT NULL
  AND s.submitter > coalesce($1::text, '')
ORDER BY s.submitter
LIMIT $2
