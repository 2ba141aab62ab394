-- Submitters in recovery, the longest first, and how many of their quarantined nonces are open.
-- $1 row_limit integer
SELECT s.submitter, extract(epoch FROM s.recovery_since)::double precision * 1000 AS since_ms,
  s.recovery_reason AS reason, s.recovery_cursor IS NULL AS finished, count(*) OVER () AS total, (
    SELECT count(*) FROM :schema.submitter_nonce_allocation a
    WHERE a.submitter = s.submitter AND a.chain_generation = s.chain_generation
      AND a.stage = 'QUARANTINED' AND a.epoch = s.recovery_epoch) AS open
FROM :schema.submitter_nonce_state s
WHERE s.recovery_since IS NOT NULL
ORDER BY s.recovery_since, s.submitter
LIMIT $1
