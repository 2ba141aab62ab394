-- Open dead letters, oldest first, a page after the one named.
-- $1 after uuid null  id of the last one seen; null = from the start
-- $2 row_limit integer
SELECT d.id, d.shard, d.entry_id, d.submitter, d.nonce, d.event, d.deliveries, d.reason, d.created_at
FROM :schema.dead_letter d
WHERE d.resolved_at IS NULL
  AND ($1::uuid IS NULL OR (d.created_at, d.id) > (
    SELECT a.created_at, a.id FROM :schema.dead_letter a WHERE a.id = $1))
ORDER BY d.created_at, d.id
LIMIT $2
