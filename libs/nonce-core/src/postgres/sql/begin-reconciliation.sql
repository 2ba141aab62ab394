-- Begins a reconciliation, or replies the one of its kind that runs already (`begun` false).
-- $1 id uuid
-- $2 scope text
-- $3 dry_run boolean
-- $4 actor text
-- $5 reason text
-- $6 runner text null  who carries it out at once; null = whichever worker claims it
-- $7 counts text  JSON
WITH begun AS (
  INSERT INTO :schema.reconciliation (id, scope, dry_run, actor, reason, runner, counts, total)
  SELECT $1, $2, $3, $4, $5, $6, $7::text::jsonb, count(*)
  FROM :schema.submitter_nonce_state s
  WHERE $2 = 'all' OR s.next_local_nonce > coalesce(s.chain_finalized_count, -1)
  ON CONFLICT (dry_run) WHERE state = 'running' DO NOTHING
  RETURNING *
)
SELECT true AS begun, to_jsonb(b) AS body FROM begun b
UNION ALL
SELECT false, to_jsonb(r) FROM :schema.reconciliation r
WHERE r.dry_run = $3 AND r.state = 'running' AND NOT EXISTS (SELECT FROM begun)
