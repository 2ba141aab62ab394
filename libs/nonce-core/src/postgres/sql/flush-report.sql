-- When any worker last flushed and failed to, with the reason of the last failure.
SELECT max(w.last_success_at) AS last_success_at,
  max(w.last_failure_at) AS last_failure_at,
  (array_agg(w.last_failure ORDER BY w.last_failure_at DESC NULLS LAST))[1] AS last_failure,
  count(*) FILTER (WHERE w.lease_until > clock_timestamp()) AS workers
FROM :schema.flush_worker w
