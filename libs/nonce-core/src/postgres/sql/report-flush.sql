-- Notes how a worker's last flush ended, on its claim.
-- $1 worker text
-- $2 failure text null  null = it succeeded
UPDATE :schema.flush_worker SET
  last_success_at = CASE WHEN $2::text IS NULL THEN clock_timestamp() ELSE last_success_at END,
  last_failure_at = CASE WHEN $2::text IS NULL THEN last_failure_at ELSE clock_timestamp() END,
  last_failure = coalesce(left($2::text, 500), last_failure)
WHERE worker = $1
