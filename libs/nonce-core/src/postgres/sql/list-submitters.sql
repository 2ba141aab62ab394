-- Submitters as an operator sees them: one, or a page of them in key order. USED is what was issued
-- and is neither reserved nor recyclable, so that history is not counted row by row; the other counts
-- come from partial indexes.
-- $1 after text  the last key of the page before, or the empty text
-- $2 submitter text null  only this one
-- $3 search text null  part of the key or of the label
-- $4 row_limit integer
-- $5 default_window integer
SELECT s.submitter, s.label, s.next_local_nonce, s.ceiling, s.epoch, s.engine,
  s.last_chain_nonce, s.chain_latest_count,
  coalesce(s.max_in_flight, $5) AS max_in_flight,
  s.paused_at IS NOT NULL OR s.reset_seen_at IS NOT NULL AS paused,
  CASE WHEN s.reset_seen_at IS NOT NULL THEN 'chain reset: another genesis block'
    ELSE s.paused_reason END AS paused_reason, s.pinned_mode,
  extract(epoch FROM statement_timestamp())::double precision * 1000 AS as_of_ms,
  reserved.count AS reserved, reusable.count AS recyclable,
  greatest(0, s.next_local_nonce - origin.base - reserved.count - reusable.count
    - (s.walk_end - s.walk_cursor)) AS used,
  extract(epoch FROM statement_timestamp() - reserved.oldest)::double precision * 1000
    AS oldest_reserved_ms,
  blocking.rows AS blocking
FROM (
  SELECT * FROM :schema.submitter_nonce_state state
  WHERE state.submitter > $1
    AND ($2::text IS NULL OR state.submitter = $2)
    AND ($3::text IS NULL OR strpos(state.submitter, lower($3)) > 0
      OR strpos(lower(state.label), lower($3)) > 0)
  ORDER BY state.submitter
  LIMIT $4) s
CROSS JOIN LATERAL (
  SELECT count(*) AS count, min(a.created_at) AS oldest
  FROM :schema.submitter_nonce_allocation a
  WHERE a.submitter = s.submitter AND a.chain_generation = s.chain_generation
    AND a.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')) reserved
CROSS JOIN LATERAL (
  SELECT count(*) AS count
  FROM :schema.submitter_nonce_allocation a
  WHERE a.submitter = s.submitter AND a.chain_generation = s.chain_generation
    AND a.stage IN ('REUSABLE', 'QUARANTINED') AND a.stage = 'REUSABLE') reusable
CROSS JOIN LATERAL (
  SELECT coalesce(min(l.base), s.base) AS base
  FROM :schema.epoch_log l WHERE l.submitter = s.submitter AND l.epoch = greatest(1, s.generation_epoch)) origin
CROSS JOIN LATERAL (
  SELECT string_agg(b.nonce || ':' || b.stage || ':' || b.stuck, ',' ORDER BY b.nonce) AS rows
  FROM (
    (SELECT a.nonce, a.stage, a.stuck_since IS NOT NULL AS stuck
     FROM :schema.submitter_nonce_allocation a
     WHERE a.submitter = s.submitter AND a.chain_generation = s.chain_generation
       AND a.stage IN ('REUSABLE', 'QUARANTINED')
       AND a.nonce >= coalesce(s.chain_latest_count, 0)
     ORDER BY a.nonce LIMIT 1000)
    UNION ALL
    (SELECT a.nonce, a.stage, a.stuck_since IS NOT NULL
     FROM :schema.submitter_nonce_allocation a
     WHERE a.submitter = s.submitter AND a.chain_generation = s.chain_generation
       AND a.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
       AND a.deadline <= statement_timestamp()
       AND a.nonce >= coalesce(s.chain_latest_count, 0)
     ORDER BY a.nonce LIMIT 1000)) b) blocking
ORDER BY s.submitter
