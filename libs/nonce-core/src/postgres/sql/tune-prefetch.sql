-- Sizes of prefetched ranges for all nodes, audited; no row before the first start.
-- $1 size integer
-- $2 low_water integer
-- $3 max integer
-- $4 actor text
-- $5 reason text
WITH before AS (
  SELECT m.prefetch_size, m.prefetch_low_water, m.prefetch_max
  FROM :schema.engine_mode m FOR UPDATE
), tuned AS (
  UPDATE :schema.engine_mode m
  SET prefetch_size = $1, prefetch_low_water = $2, prefetch_max = $3
  FROM before
  RETURNING m.epoch
), audited AS (
  INSERT INTO :schema.audit (actor, action, subject, reason, detail)
  SELECT $4, 'prefetch.tune', 'prefetch', $5, jsonb_build_object(
    'from', jsonb_build_object('size', b.prefetch_size, 'lowWater', b.prefetch_low_water,
      'max', b.prefetch_max),
    'to', jsonb_build_object('size', $1::integer, 'lowWater', $2::integer, 'max', $3::integer))
  FROM before b
)
SELECT t.epoch FROM tuned t
