-- Alarms that began or ended after an instant, and the instant of the look; one row with no alarm
-- when there is none.
-- $1 after_us bigint  microseconds since 1970
-- $2 row_limit integer
WITH look AS (SELECT (extract(epoch FROM statement_timestamp()) * 1000000)::bigint AS now_us)
SELECT look.now_us, a.id, a.kind, a.subject, a.value::double precision AS value,
  a.threshold::double precision AS threshold, a.cleared_at IS NULL AS raised,
  extract(epoch FROM a.opened_at)::double precision * 1000 AS opened_ms,
  extract(epoch FROM a.cleared_at)::double precision * 1000 AS cleared_ms
FROM look
LEFT JOIN (
  SELECT * FROM :schema.alarm c
  WHERE c.changed_at > to_timestamp($1::bigint / 1000000.0)
  ORDER BY c.changed_at
  LIMIT $2) a ON true
