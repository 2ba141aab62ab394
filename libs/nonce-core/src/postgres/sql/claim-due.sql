-- Claims rows whose next look is due: moves the look into the future and returns the rows, oldest
-- look first. Rows another worker is claiming are skipped. The statement's start time, not a
-- volatile clock, so that the index on due_at serves the comparison.
-- hot
-- $1 stages text[]
-- $2 chain_ids bigint[]
-- $3 row_limit integer
-- $4 lease_ms integer
WITH due AS MATERIALIZED (
  SELECT a.id, a.due_at, a.submitter, a.chain_generation
  FROM :schema.submitter_nonce_allocation a
  WHERE a.due_at <= statement_timestamp()
    AND a.stage = ANY ($1::text[]:::schema.allocation_stage[])
    AND split_part(a.submitter, ':', 2)::bigint = ANY ($2)
    -- Its chain is gone: what was signed for it is not sent to the one that took its place.
    AND NOT EXISTS (SELECT 1 FROM :schema.submitter_nonce_state s
      WHERE s.submitter = a.submitter AND s.reset_seen_at IS NOT NULL)
  ORDER BY a.due_at
  LIMIT $3
  FOR UPDATE SKIP LOCKED
), gaps AS MATERIALIZED (
  -- Above the lowest open nonce that is not out nothing can mine.
  SELECT b.submitter, min(b.nonce) AS nonce
  FROM (SELECT DISTINCT d.submitter, d.chain_generation FROM due d) d
  JOIN :schema.submitter_nonce_state s ON s.submitter = d.submitter
  JOIN :schema.submitter_nonce_allocation b
    ON b.submitter = d.submitter AND b.chain_generation = d.chain_generation
    AND b.nonce >= coalesce(s.chain_latest_count, 0)
  WHERE b.stage IN ('GRANTED', 'INTENT', 'QUARANTINED', 'REUSABLE')
    -- The note is that of decide-stuck.ts: what waits in a pool for its fee is out.
    OR (b.stage = 'BROADCAST' AND b.stuck_since IS NOT NULL
      AND b.note IS DISTINCT FROM 'in a pool for long; its fee may be too low')
  GROUP BY b.submitter
)
UPDATE :schema.submitter_nonce_allocation a
SET due_at = statement_timestamp() + $4 * interval '1 ms'
FROM due
WHERE a.id = due.id
RETURNING a.id, a.submitter, a.nonce, a.stage, a.source, a.exposure, a.engine, a.epoch, a.operation_id,
  a.tx_hash, array_to_string(a.hashes, ',') AS hashes, a.proof, a.note,
  extract(epoch FROM a.deadline)::double precision * 1000 AS deadline_ms,
  extract(epoch FROM a.created_at)::double precision * 1000 AS created_ms,
  extract(epoch FROM a.updated_at)::double precision * 1000 AS updated_ms,
  a.inherited_hashes, a.raw_tx, array_to_string(a.burn_hashes, ',') AS burn_hashes, a.burn_tx,
  a.block_number, a.block_hash,
  coalesce(a.epoch < (SELECT s.recovery_epoch FROM :schema.submitter_nonce_state s
    WHERE s.submitter = a.submitter), false) AS may_lack_hashes,
  (SELECT s.chain_latest_count FROM :schema.submitter_nonce_state s
   WHERE s.submitter = a.submitter) AS chain_latest_count,
  (SELECT s.chain_finalized_count FROM :schema.submitter_nonce_state s
   WHERE s.submitter = a.submitter) AS chain_finalized_count,
  greatest(0, extract(epoch FROM statement_timestamp() - a.updated_at)::double precision * 1000)
    AS unchanged_ms,
  a.resends,
  CASE WHEN a.resend_minute_at > statement_timestamp() - interval '1 minute'
    THEN a.resends_in_minute ELSE 0 END AS resends_in_minute,
  (SELECT g.nonce FROM gaps g WHERE g.submitter = a.submitter) AS gap_nonce,
  a.due_at::text AS claim,
  extract(epoch FROM statement_timestamp() - a.stuck_since)::double precision * 1000 AS stuck_ms
