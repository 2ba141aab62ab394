-- Ruling performance epochs whose fast store could be handed nonces to issue again.
-- $1 limit integer
SELECT s.submitter, s.epoch, s.incarnation FROM :schema.submitter_nonce_state s
WHERE s.engine = 'performance' AND s.incarnation IS NOT NULL
  AND (s.reclaim_at <= clock_timestamp() OR EXISTS (
    SELECT 1 FROM :schema.submitter_nonce_allocation a
    WHERE a.submitter = s.submitter AND a.chain_generation = s.chain_generation
      AND a.stage IN ('REUSABLE', 'QUARANTINED')
      AND a.nonce >= coalesce(s.chain_latest_count, 0)
      AND a.loaded_epoch IS DISTINCT FROM s.epoch
      AND (a.stage = 'REUSABLE' OR a.release_at <= clock_timestamp())))
ORDER BY s.submitter
LIMIT $1
