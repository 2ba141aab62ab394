-- Keeps whether a worker reaches Redis, and since when it does not; forgets workers that are gone.
-- $1 reporter uuid
-- $2 up boolean
WITH gone AS (
  DELETE FROM :schema.redis_report r
  WHERE r.reported_at < clock_timestamp() - interval '1 hour' AND r.reporter <> $1)
INSERT INTO :schema.redis_report AS r (reporter, down_since)
VALUES ($1, CASE WHEN NOT $2::boolean THEN clock_timestamp() END)
ON CONFLICT (reporter) DO UPDATE
SET down_since = CASE WHEN NOT $2::boolean THEN coalesce(r.down_since, clock_timestamp()) END,
  reported_at = clock_timestamp()
RETURNING r.down_since IS NULL AS up
