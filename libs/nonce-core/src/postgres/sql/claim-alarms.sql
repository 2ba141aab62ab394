-- Alarms of which nobody was told yet, of the last day; others leave them alone for a while.
-- $1 claim_ms integer
-- $2 row_limit integer
UPDATE :schema.alarm a
SET claimed_until = clock_timestamp() + $1::integer * interval '1 ms'
WHERE a.id IN (
  SELECT c.id FROM :schema.alarm c
  WHERE (c.raised_told_at IS NULL OR (c.cleared_at IS NOT NULL AND c.cleared_told_at IS NULL))
    AND c.claimed_until <= clock_timestamp()
    AND coalesce(c.cleared_at, c.opened_at) > statement_timestamp() - interval '1 day'
  ORDER BY c.id
  FOR UPDATE SKIP LOCKED
  LIMIT $2)
RETURNING a.id, a.kind, a.subject, a.value::double precision AS value, a.threshold::double precision AS threshold,
  a.raised_told_at IS NULL AS raised,
  extract(epoch FROM a.opened_at)::double precision * 1000 AS opened_ms,
  extract(epoch FROM a.cleared_at)::double precision * 1000 AS cleared_ms
