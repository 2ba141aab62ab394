-- The row of one nonce in the current chain generation.
-- $1 submitter text
-- $2 nonce bigint
SELECT a.id, a.submitter, a.nonce, a.stage, a.source, a.exposure, a.engine, a.epoch, a.operation_id,
  a.tx_hash, array_to_string(a.hashes, ',') AS hashes, a.proof, a.note,
  extract(epoch FROM a.deadline)::double precision * 1000 AS deadline_ms,
  extract(epoch FROM a.created_at)::double precision * 1000 AS created_ms,
  extract(epoch FROM a.updated_at)::double precision * 1000 AS updated_ms,
  a.generation
FROM :schema.submitter_nonce_allocation a
WHERE a.submitter = $1 AND a.nonce = $2
  AND a.chain_generation = (
    SELECT s.chain_generation FROM :schema.submitter_nonce_state s WHERE s.submitter = $1)
