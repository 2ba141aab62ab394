-- Begins and ends alarms; one that is open is not begun again, one that ended does not end again.
-- $1 kinds text[]
-- $2 subjects text[]
-- $3 figures bigint[]
-- $4 thresholds bigint[]
-- $5 clear bigint[]  ids of alarms that end
WITH ended AS (
  UPDATE :schema.alarm a SET cleared_at = clock_timestamp(), claimed_until = '-infinity'
  WHERE a.id IN (
    SELECT c.id FROM :schema.alarm c WHERE c.id = ANY ($5) AND c.cleared_at IS NULL
    ORDER BY c.id FOR UPDATE)
)
INSERT INTO :schema.alarm (kind, subject, value, threshold)
SELECT r.kind, r.subject, r.value, r.threshold
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
  AS r (kind, subject, value, threshold)
ORDER BY r.kind, r.subject
ON CONFLICT (kind, subject) WHERE cleared_at IS NULL DO NOTHING
