-- Rows of one submitter's current chain generation, in nonce order.
-- $1 submitter text
-- $2 stages text[] null
-- $3 from_nonce bigint null
-- $4 to_nonce bigint null  inclusive
-- $5 row_limit integer
SELECT a.id, a.submitter, a.nonce, a.stage, a.source, a.exposure, a.engine, a.epoch, a.operation_id,
  a.tx_hash, array_to_string(a.hashes, ',') AS hashes, a.proof, a.note,
  extract(epoch FROM a.deadline)::double precision * 1000 AS deadline_ms,
  extract(epoch FROM a.created_at)::double precision * 1000 AS created_ms,
  extract(epoch FROM a.updated_at)::double precision * 1000 AS updated_ms
FROM :schema.submitter_nonce_allocation a
WHERE a.submitter = $1
  AND a.chain_generation = (
    SELECT s.chain_generation FROM :schema.submitter_nonce_state s WHERE s.submitter = $1)
  AND ($2::text[] IS NULL OR a.stage = ANY ($2::text[]:::schema.allocation_stage[]))
  AND a.nonce >= coalesce($3, 0)
  AND a.nonce <= coalesce($4, 9007199254740990)
ORDER BY a.nonce
LIMIT $5
