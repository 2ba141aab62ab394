-- Joins or wins performance epochs; the function states guarantee and replies.
-- $1 submitters text[]
-- $2 incarnations text[]
-- $3 bad_epochs bigint[]  null elements where the asker knows no epoch
-- $4 raises integer[]
-- $5 windows integer[]
-- $6 reasons text[]
-- $7 intents text
-- $8 free_limit integer  free nonces handed over at most per submitter
-- $9 quarantine_ms integer
-- $10 release text
-- $11 mode_epoch bigint  entered only while the mode has this epoch
-- $12 server text null  start of the verified run of the server; null = not checked
SELECT * FROM :schema.enter_fast_epochs(
  CASE WHEN :schema.same_server($12) THEN $1::text[] END, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ORDER BY ord
