-- Goes on with the running switch: one's own, or one whose runner is silent. No row otherwise.
-- $1 runner text
-- $2 silent_ms integer
UPDATE :schema.mode_switch w
SET runner = $1, heartbeat_at = clock_timestamp()
WHERE w.state = 'running'
  AND (w.runner = $1 OR w.heartbeat_at <= clock_timestamp() - $2::integer * interval '1 ms')
RETURNING w.id, w.from_mode, w.to_mode, w.epoch, w.actor, w.reason, w.automatic, w.state, w.phases,
  w.waits_for, extract(epoch FROM w.started_at)::double precision * 1000 AS started_ms,
  extract(epoch FROM w.ended_at)::double precision * 1000 AS ended_ms
