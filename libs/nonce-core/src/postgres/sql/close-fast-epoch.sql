-- Ends a performance epoch; null when another epoch rules by now.
-- $1 submitter text
-- $2 epoch bigint
-- $3 retired_next bigint null  where the fast store ended it; null = not known
-- $4 reason text
-- $5 quarantine_ms integer
-- $6 release text
-- $7 server text null  start of the verified run of the server; null = not checked
SELECT :schema.change_epoch(CASE WHEN :schema.same_server($7) THEN $1::text END, $2, 'performance', NULL, 0, coalesce((
  SELECT l.intents FROM :schema.epoch_log l WHERE l.submitter = $1 AND l.epoch = $2), 'strict'),
  $4, $3, $5, $6) AS epoch
