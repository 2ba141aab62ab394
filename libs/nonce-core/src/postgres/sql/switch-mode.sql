-- Switches the mode, while its epoch is the one seen; no row when it is not.
-- $1 seen_epoch bigint
-- $2 to_mode text
-- $3 actor text
-- $4 reason text
-- $5 automatic boolean
-- $6 pinned boolean
-- $7 return_to text null
-- $8 dwell_ms integer
-- $9 runner text
-- $10 phases text  JSON, a list
SELECT w.id, w.from_mode, w.to_mode, w.epoch, w.actor, w.reason, w.automatic, w.state, w.phases,
  w.waits_for, extract(epoch FROM w.started_at)::double precision * 1000 AS started_ms,
  extract(epoch FROM w.ended_at)::double precision * 1000 AS ended_ms
FROM :schema.switch_mode($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::jsonb) w
