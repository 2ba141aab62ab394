-- How many dead letters wait for a decision.
SELECT count(*) AS open FROM :schema.dead_letter WHERE resolved_at IS NULL
