-- The first mode of an installation; a mode that is there stays.
-- $1 mode text
-- $2 actor text
INSERT INTO :schema.engine_mode (mode, actor, reason)
VALUES ($1, $2, 'first start')
ON CONFLICT (singleton) DO NOTHING
