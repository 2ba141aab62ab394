-- The key with this digest, unless it is revoked or expired.
-- hot
-- $1 digest text
SELECT k.id, k.name, k.scopes
FROM :schema.api_key k
WHERE k.digest = $1 AND k.revoked_at IS NULL
  AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())
