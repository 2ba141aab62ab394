-- Lowest reusable nonces that nobody has asked for since so long, while transactions above them wait.
-- Read from the partial index of what may be issued again.
-- $1 chain_ids bigint[]
-- $2 settled_ms integer
-- $3 row_limit integer
SELECT g.submitter, g.nonce
FROM (
  SELECT DISTINCT ON (a.submitter, a.chain_generation)
    a.submitter, a.chain_generation, a.nonce, a.updated_at
  FROM :schema.submitter_nonce_allocation a
  WHERE a.stage IN ('REUSABLE', 'QUARANTINED') AND a.stage = 'REUSABLE'
  ORDER BY a.submitter, a.chain_generation, a.nonce) g
JOIN :schema.submitter_nonce_state s
  ON s.submitter = g.submitter AND s.chain_generation = g.chain_generation
WHERE g.updated_at <= statement_timestamp() - $2 * interval '1 ms'
  AND s.chain_id = ANY ($1)
  AND s.paused_at IS NULL AND s.reset_seen_at IS NULL
  AND EXISTS (
    SELECT 1 FROM :schema.submitter_nonce_allocation b
    WHERE b.submitter = g.submitter AND b.chain_generation = g.chain_generation
      AND b.nonce > g.nonce AND b.stage IN ('INTENT', 'BROADCAST', 'BURNING'))
ORDER BY g.submitter
LIMIT $3
