-- Adds a key, or replaces name and scopes of the one with the same digest. A revoked key stays so.
-- $1 name text
-- $2 digest text
-- $3 scopes text[]
INSERT INTO :schema.api_key AS k (name, digest, scopes)
VALUES ($1, $2, $3)
ON CONFLICT (digest) DO UPDATE SET name = excluded.name, scopes = excluded.scopes
RETURNING k.id, k.name, k.scopes
