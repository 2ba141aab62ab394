-- Lowest nonces that anybody could have and nobody has asked for since so long, while transactions
-- above them wait: given back, or left over from a closed strict range, where they have no row yet.
-- Read from the partial indexes of what may be issued again and of what is still to be walked.
-- $1 chain_ids bigint[]
-- $2 settled_ms integer
-- $3 row_limit integer
WITH given_back AS (
  SELECT DISTINCT ON (a.submitter, a.chain_generation)
    a.submitter, a.chain_generation, a.nonce, a.updated_at AS idle_since
  FROM :schema.submitter_nonce_allocation a
  WHERE a.stage IN ('REUSABLE', 'QUARANTINED') AND a.stage = 'REUSABLE'
  ORDER BY a.submitter, a.chain_generation, a.nonce
),
left_over AS (
  SELECT s.submitter, s.chain_generation, n.nonce, l.opened_at AS idle_since
  FROM :schema.submitter_nonce_state s
  JOIN :schema.epoch_log l ON l.submitter = s.submitter AND l.epoch = s.epoch
  CROSS JOIN LATERAL (
    SELECT greatest(s.walk_cursor, coalesce(s.chain_latest_count, 0)) AS first) w
  CROSS JOIN LATERAL (
    SELECT n AS nonce
    -- Whoever asks walks as far in a few steps; the next tick looks at the rest.
    FROM generate_series(w.first, least(s.walk_end, w.first + 1024) - 1) AS n
    WHERE NOT EXISTS (
      SELECT 1 FROM :schema.submitter_nonce_allocation a
      WHERE a.submitter = s.submitter AND a.chain_generation = s.chain_generation AND a.nonce = n)
    ORDER BY n
    LIMIT 1) n
  WHERE s.walk_cursor < s.walk_end
    AND EXISTS (
      SELECT 1 FROM :schema.submitter_nonce_allocation b
      WHERE b.submitter = s.submitter AND b.chain_generation = s.chain_generation
        AND b.nonce > w.first AND b.stage IN ('INTENT', 'BROADCAST', 'BURNING'))
)
SELECT DISTINCT ON (g.submitter) g.submitter, g.nonce
FROM (TABLE given_back UNION ALL TABLE left_over) g
JOIN :schema.submitter_nonce_state s
  ON s.submitter = g.submitter AND s.chain_generation = g.chain_generation
WHERE g.idle_since <= statement_timestamp() - $2 * interval '1 ms'
  AND s.chain_id = ANY ($1)
  AND s.paused_at IS NULL AND s.reset_seen_at IS NULL
  AND EXISTS (
    SELECT 1 FROM :schema.submitter_nonce_allocation b
    WHERE b.submitter = g.submitter AND b.chain_generation = g.chain_generation
      AND b.nonce > g.nonce AND b.stage IN ('INTENT', 'BROADCAST', 'BURNING'))
ORDER BY g.submitter, g.nonce
LIMIT $3
