-- Moves of nonces by workers behind a place, in order, and the place up to which no more will come;
-- one row without a move when there is none.
-- $1 written_by text null  transaction of the last one read; null = none, only the place
-- $2 id bigint
-- $3 row_limit integer
WITH look AS (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS horizon)
SELECT look.horizon::text AS horizon, t.written_by::text AS written_by, t.id, t.allocation_id,
  t.submitter, t.nonce, t.from_stage::text AS from_stage, t.to_stage::text AS to_stage, t.stuck,
  t.tx_hash, t.block_number, t.reason
FROM look
LEFT JOIN LATERAL (
  SELECT * FROM :schema.tracked_transition e
  WHERE $1::text IS NOT NULL AND (e.written_by, e.id) > ($1::text::xid8, $2::bigint)
    AND e.written_by < look.horizon
  ORDER BY e.written_by, e.id
  LIMIT $3) t ON true
ORDER BY t.written_by, t.id
