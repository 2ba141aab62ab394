-- Starts a new chain generation; the function states guarantee and replies.
-- $1 submitter text
-- $2 genesis_hash text
-- $3 start_nonce bigint
-- $4 pending_count bigint
-- $5 latest_count bigint
-- $6 finalized_count bigint null
-- $7 reason text
-- $8 dry_run boolean
-- $9 quarantine_ms integer
-- $10 release text
-- $11 server text null  start of the verified run of the server; null = not checked
SELECT verdict, known_genesis, generation, epoch, next_nonce, kept, ended
FROM :schema.rebaseline_submitter(
  CASE WHEN :schema.same_server($11) THEN $1::text END, $2, $3, $4, $5, $6, $7, $8, $9, $10)
