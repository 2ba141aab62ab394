-- One reconciliation, running or ended; no row when there is none of that id.
-- $1 id uuid
SELECT to_jsonb(r) AS body FROM :schema.reconciliation r WHERE r.id = $1
