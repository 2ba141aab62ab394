-- Switches, newest first.
-- $1 before bigint null  only those with a lower id; null = from the newest
-- $2 row_limit integer
SELECT w.id, w.from_mode, w.to_mode, w.epoch, w.actor, w.reason, w.automatic, w.state, w.phases,
  w.waits_for, extract(epoch FROM w.started_at)::double precision * 1000 AS started_ms,
  extract(epoch FROM w.ended_at)::double precision * 1000 AS ended_ms
FROM :schema.mode_switch w
WHERE w.id < coalesce($1::bigint, 9223372036854775807)
ORDER BY w.id DESC
LIMIT $2
