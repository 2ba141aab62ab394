-- Reads allocations by their owner tokens, in nonce order.
-- hot
-- $1 ids uuid[]
SELECT a.id, a.submitter, a.nonce, a.stage, a.source, a.exposure, a.engine, a.epoch, a.operation_id,
  a.tx_hash, array_to_string(a.hashes, ',') AS hashes, a.proof, a.note,
  extract(epoch FROM a.deadline)::double precision * 1000 AS deadline_ms,
  extract(epoch FROM a.created_at)::double precision * 1000 AS created_ms,
  extract(epoch FROM a.updated_at)::double precision * 1000 AS updated_ms
FROM :schema.submitter_nonce_allocation a
WHERE a.id = ANY ($1)
ORDER BY a.nonce
