-- Appends one operator action.
-- $1 actor text
-- $2 action text
-- $3 subject text
-- $4 reason text
-- $5 detail text null  JSON
INSERT INTO :schema.audit (actor, action, subject, reason, detail)
VALUES ($1, $2, $3, $4, $5::text::jsonb)
