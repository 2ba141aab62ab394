-- Ruling performance epochs whose fast store could be handed nonces to issue again. Found from the
-- few rows that no store was handed yet, so that many idle submitters cost nothing.
-- $1 limit integer
SELECT s.submitter, s.epoch, s.incarnation FROM :schema.submitter_nonce_state s
WHERE s.engine = 'performance' AND s.incarnation IS NOT NULL
  AND s.submitter IN (
    SELECT a.submitter FROM :schema.submitter_nonce_allocation a
    JOIN :schema.submitter_nonce_state o
      ON o.submitter = a.submitter AND o.chain_generation = a.chain_generation
    WHERE a.loaded_epoch IS NULL
      AND a.stage IN ('REUSABLE', 'QUARANTINED')
      AND (a.stage = 'REUSABLE' OR a.release_at <= statement_timestamp())
      AND a.nonce >= coalesce(o.chain_latest_count, 0)
    UNION
    SELECT d.submitter FROM :schema.submitter_nonce_state d
    WHERE d.reclaim_at < 'infinity' AND d.reclaim_at <= statement_timestamp())
ORDER BY s.submitter
LIMIT $1
