-- Grants of one nonce that ended with another grant, oldest first.
-- $1 submitter text
-- $2 nonce bigint
SELECT g.id, g.ended_stage, g.note,
  extract(epoch FROM g.granted_at)::double precision * 1000 AS granted_ms,
  extract(epoch FROM g.ended_at)::double precision * 1000 AS ended_ms
FROM :schema.allocation_grant g
WHERE g.submitter = $1 AND g.nonce = $2
  AND g.chain_generation = (
    SELECT s.chain_generation FROM :schema.submitter_nonce_state s WHERE s.submitter = $1)
ORDER BY g.generation
