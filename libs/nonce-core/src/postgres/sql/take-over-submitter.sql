-- Gives a submitter to the reliable engine; the function states guarantee and replies.
-- $1 submitter text
-- $2 epoch bigint null  the fast epoch seen to rule; null = none
-- $3 retired_next bigint null  where its fast store ended it; null = not known
-- $4 mode_epoch bigint
-- $5 quarantine_ms integer
-- $6 release text
-- $7 server text null  start of the verified run of the server; null = not checked
SELECT :schema.take_over_submitter(
  CASE WHEN :schema.same_server($7) THEN $1::text END, $2, $3, $4, $5, $6) AS verdict
