-- Ends the running switch as aborted, whoever runs it, and audits that; no row when none runs.
-- $1 actor text
-- $2 reason text
WITH ended AS (
  UPDATE :schema.mode_switch w
  SET state = 'aborted', ended_at = clock_timestamp(), waits_for = NULL
  WHERE w.state = 'running'
  RETURNING *
), audited AS (
  INSERT INTO :schema.audit (actor, action, subject, reason, detail)
  SELECT $1, 'mode.abort', e.to_mode, $2, jsonb_build_object('switch', e.id, 'epoch', e.epoch)
  FROM ended e
)
SELECT w.id, w.from_mode, w.to_mode, w.epoch, w.actor, w.reason, w.automatic, w.state, w.phases,
  w.waits_for, extract(epoch FROM w.started_at)::double precision * 1000 AS started_ms,
  extract(epoch FROM w.ended_at)::double precision * 1000 AS ended_ms
FROM ended w
