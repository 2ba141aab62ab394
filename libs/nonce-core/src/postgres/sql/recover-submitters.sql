-- Recovers submitters; the function states guarantee and replies.
-- $1 started text  start of the run that was verified
-- $2 submitters text[]
-- $3 epochs bigint[]  witnessed
-- $4 ceilings bigint[]  witnessed
-- $5 lost_at text null  start of the run at which commits were lost; null = only those behind
-- $6 reason text
-- $7 quarantine_ms integer
-- $8 release text
-- $9 row_limit integer  nonces without a row that are quarantined per submitter by one call
SELECT submitter, entered, epoch, ceiling, finished
FROM :schema.recover_submitters($1, $2, $3, $4, $5, $6, $7, $8, $9)
