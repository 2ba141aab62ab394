-- Totals of open work, from partial indexes only: no statement here reads a settled row.
SELECT
  (SELECT count(*)
   FROM :schema.submitter_nonce_state s
   JOIN :schema.submitter_nonce_allocation a ON a.submitter = s.submitter
   WHERE s.reclaim_at < 'infinity' AND s.reclaim_at <= statement_timestamp()
     AND a.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
     AND a.deadline <= statement_timestamp()) AS overdue,
  (SELECT count(*) FROM :schema.submitter_nonce_allocation a
   WHERE a.stage IN ('REUSABLE', 'QUARANTINED') AND a.stage = 'QUARANTINED') AS quarantined,
  (SELECT count(*) FROM :schema.submitter_nonce_allocation a
   WHERE a.stuck_since IS NOT NULL) AS stuck,
  (SELECT count(*) FROM :schema.submitter_nonce_allocation a
   WHERE a.stage IN ('REUSABLE', 'QUARANTINED') AND a.stage = 'REUSABLE') AS recyclable
