-- Remembers that alarms were told, raised or cleared; what is left to tell of them may be claimed.
-- $1 ids bigint[]
-- $2 raised boolean[]  true = that it was raised, false = that it was cleared
UPDATE :schema.alarm a
SET raised_told_at = coalesce(a.raised_told_at, clock_timestamp()),
  cleared_told_at = CASE WHEN t.raised THEN a.cleared_told_at ELSE clock_timestamp() END,
  claimed_until = '-infinity'
FROM unnest($1::bigint[], $2::boolean[]) AS t (id, raised)
WHERE a.id = t.id
