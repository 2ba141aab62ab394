-- Settles reservations past their deadline and returns the rows as they then are.
-- $1 row_limit integer
-- $2 quarantine_ms integer
-- $3 release text
SELECT a.id, a.submitter, a.nonce, a.stage, a.source, a.exposure, a.engine, a.epoch, a.operation_id,
  a.tx_hash, array_to_string(a.hashes, ',') AS hashes, a.proof, a.note,
  extract(epoch FROM a.deadline)::double precision * 1000 AS deadline_ms,
  extract(epoch FROM a.created_at)::double precision * 1000 AS created_ms,
  extract(epoch FROM a.updated_at)::double precision * 1000 AS updated_ms
FROM :schema.reclaim_expired($1, $2, $3) r
CROSS JOIN LATERAL (SELECT * FROM :schema.submitter_nonce_allocation a WHERE a.id = r.id) a
ORDER BY a.submitter, a.nonce
