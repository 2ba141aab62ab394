-- Raises ceilings and hands over free nonces; the function states guarantee and replies.
-- $1 submitters text[]
-- $2 incarnations text[]
-- $3 epochs bigint[]
-- $4 ceilings bigint[]  as the asker knows them: raised only while they still are that
-- $5 raises integer[]  0 = none, only limits and free nonces are wanted
-- $6 windows integer[]
-- $7 loans bigint[]  last loan of free nonces that reached the fast store; null = all did
-- $8 intents text
-- $9 free_limit integer
-- $10 quarantine_ms integer
-- $11 release text
-- $12 server text null  start of the verified run of the server; null = not checked
SELECT * FROM :schema.refill_fast_epochs(
  CASE WHEN :schema.same_server($12) THEN $1::text[] END, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ORDER BY ord
