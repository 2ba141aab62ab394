-- Which run of which database answers, how far its log is durable, and which runs were vouched for.
-- A standby answers no row: it may still learn of commits.
SELECT c.system_identifier::text AS system_id, :schema.server_started_at() AS started_at,
  :schema.server_timeline() AS timeline, :schema.server_start_lsn() AS start_lsn,
  pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::text AS lsn,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('systemId', r.system_id, 'startedAt', r.started_at,
      'timeline', r.timeline, 'lsn', r.lsn, 'how', r.how, 'verifiedBy', r.verified_by)
      ORDER BY r.at DESC), '[]')
   FROM (SELECT * FROM :schema.server_continuity s ORDER BY s.at DESC LIMIT 1000) r) AS recorded,
  EXISTS (SELECT 1 FROM :schema.submitter_nonce_allocation) OR EXISTS (
    SELECT 1 FROM :schema.submitter_nonce_state s WHERE s.epoch > 1 OR s.ceiling > s.base
  ) AS allocations
FROM pg_control_system() AS c
WHERE NOT pg_is_in_recovery()
