-- Submitters with nonces that are not settled, a page in key order: one probe of two partial indexes
-- for each, however many rows they have.
-- $1 after text  the last submitter of the page before, or the empty text
-- $2 limit integer
WITH RECURSIVE page (submitter, number) AS (
  SELECT least(
    (SELECT a.submitter FROM :schema.submitter_nonce_allocation a
     WHERE a.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
       AND a.submitter > $1
     ORDER BY a.submitter LIMIT 1),
    (SELECT a.submitter FROM :schema.submitter_nonce_allocation a
     WHERE a.stage IN ('REUSABLE', 'QUARANTINED') AND a.submitter > $1
     ORDER BY a.submitter LIMIT 1)), 1
  UNION ALL
  SELECT least(
    (SELECT a.submitter FROM :schema.submitter_nonce_allocation a
     WHERE a.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
       AND a.submitter > p.submitter
     ORDER BY a.submitter LIMIT 1),
    (SELECT a.submitter FROM :schema.submitter_nonce_allocation a
     WHERE a.stage IN ('REUSABLE', 'QUARANTINED') AND a.submitter > p.submitter
     ORDER BY a.submitter LIMIT 1)), p.number + 1
  FROM page p
  WHERE p.submitter IS NOT NULL AND p.number < $2
)
SELECT p.submitter FROM page p WHERE p.submitter IS NOT NULL ORDER BY p.number
