-- Progress or end of a reconciliation, by its runner; no row when it is that no more.
-- $1 id uuid
-- $2 runner text
-- $3 cursor text  the last submitter done
-- $4 counts text  JSON
-- $5 problems text  JSON, a list
-- $6 state text
UPDATE :schema.reconciliation r
SET cursor = $3, counts = $4::text::jsonb, problems = $5::text::jsonb, state = $6::text,
  heartbeat_at = clock_timestamp(),
  ended_at = CASE WHEN $6::text <> 'running' THEN clock_timestamp() END
WHERE r.id = $1 AND r.runner = $2 AND r.state = 'running'
RETURNING to_jsonb(r) AS body
