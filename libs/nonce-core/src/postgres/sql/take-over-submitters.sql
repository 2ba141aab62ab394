-- Gives submitters to the reliable engine; the functions state guarantee and replies.
-- $1 submitters text[]
-- $2 epochs bigint[]  the fast epochs seen to rule; null elements = none
-- $3 retired_nexts bigint[]  where their fast stores ended them; null elements = not known
-- $4 mode_epoch bigint
-- $5 skip_locked boolean
-- $6 quarantine_ms integer
-- $7 release text
-- $8 server text null  start of the verified run of the server; null = not checked
SELECT t.verdict FROM :schema.take_over_submitters(
  CASE WHEN :schema.same_server($8) THEN $1::text[] END, $2, $3, $4, $5, $6, $7) t ORDER BY t.ord
