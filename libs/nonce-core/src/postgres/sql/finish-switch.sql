-- Ends a running switch as done, by its runner; no row when it is that no more.
-- $1 id bigint
-- $2 runner text
-- $3 phases text  JSON, a list
UPDATE :schema.mode_switch w
SET state = 'done', ended_at = clock_timestamp(), phases = $3::text::jsonb, waits_for = NULL
WHERE w.id = $1 AND w.runner = $2 AND w.state = 'running'
RETURNING w.id
