-- Marks a dead letter as dealt with; doing it again changes nothing.
-- $1 id uuid
UPDATE :schema.dead_letter SET resolved_at = clock_timestamp()
WHERE id = $1 AND resolved_at IS NULL
