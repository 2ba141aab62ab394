-- Goes on with a running reconciliation: one's own, or one whose runner is gone. No row otherwise.
-- $1 runner text
-- $2 silent_ms integer
UPDATE :schema.reconciliation r
SET runner = $1, heartbeat_at = clock_timestamp()
WHERE r.id = (
  SELECT c.id FROM :schema.reconciliation c
  WHERE c.state = 'running' AND (c.runner IS NULL OR c.runner = $1
    OR c.heartbeat_at <= clock_timestamp() - $2::integer * interval '1 ms')
  ORDER BY c.started_at
  FOR UPDATE SKIP LOCKED
  LIMIT 1)
RETURNING to_jsonb(r) AS body
