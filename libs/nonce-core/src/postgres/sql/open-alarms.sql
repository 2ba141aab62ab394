-- Alarms that are not cleared.
-- $1 row_limit integer
SELECT a.id, a.kind, a.subject, a.threshold::double precision AS threshold FROM :schema.alarm a
WHERE a.cleared_at IS NULL ORDER BY a.id LIMIT $1
