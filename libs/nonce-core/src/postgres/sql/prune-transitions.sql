-- Deletes the oldest moves, as far as they are older than this.
-- $1 older_than_ms bigint
-- $2 row_limit integer
WITH oldest AS (
  SELECT t.written_by, t.id FROM :schema.tracked_transition t
  ORDER BY t.written_by, t.id LIMIT $2
  FOR UPDATE SKIP LOCKED)
DELETE FROM :schema.tracked_transition t USING oldest o
WHERE t.written_by = o.written_by AND t.id = o.id
  AND t.at < clock_timestamp() - $1::bigint * interval '1 ms'
RETURNING t.id
