-- Progress of a running switch, by its runner; no row when it is that no more.
-- $1 id bigint
-- $2 runner text
-- $3 phases text  JSON, a list
-- $4 waits_for text null  JSON
UPDATE :schema.mode_switch w
SET heartbeat_at = clock_timestamp(), phases = $3::text::jsonb, waits_for = $4::text::jsonb
WHERE w.id = $1 AND w.runner = $2 AND w.state = 'running'
RETURNING w.id
