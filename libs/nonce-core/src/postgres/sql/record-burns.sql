-- Records our own transfers of nothing before they are sent, each only while its row still is as it
-- was claimed and the chain is not known to count its nonce as used. From then on the stage refuses
-- the holder. Locks the rows in key order; replies the ids of the rows written.
-- $1 ids uuid[]
-- $2 from_stages text[]
-- $3 hashes_seen integer[]
-- $4 tx_hashes text[]
-- $5 raw_txs bytea[]
-- $6 next_look_ms integer[]
-- $7 reasons text[]
-- $8 server text null  start of the verified run of the server; null = not checked
WITH locked AS MATERIALIZED (
  SELECT a.id FROM :schema.submitter_nonce_allocation a
  WHERE a.id = ANY (CASE WHEN :schema.same_server($8) THEN $1::uuid[] END)
  ORDER BY a.submitter, a.chain_generation, a.nonce
  FOR UPDATE
)
UPDATE :schema.submitter_nonce_allocation a
SET stage = 'BURNING',
    hashes = array_append(a.hashes, b.tx_hash),
    burn_hashes = array_append(a.burn_hashes, b.tx_hash),
    burn_tx = b.raw_tx,
    tx_hash = b.tx_hash,
    due_at = clock_timestamp() + b.next_look_ms * interval '1 ms',
    release_at = NULL,
    stuck_since = NULL,
    note = b.reason,
    updated_at = clock_timestamp()
FROM locked, unnest($1::uuid[], $2::text[], $3::integer[], $4::text[], $5::bytea[], $6::integer[], $7::text[])
  AS b (id, from_stage, hashes_seen, tx_hash, raw_tx, next_look_ms, reason)
WHERE a.id = locked.id AND a.id = b.id
  AND a.stage IN ('INTENT', 'BROADCAST', 'QUARANTINED', 'BURNING')
  AND a.stage = b.from_stage:::schema.allocation_stage
  AND coalesce(cardinality(a.hashes), 0) = b.hashes_seen
  AND NOT EXISTS (
    SELECT 1 FROM :schema.submitter_nonce_state s
    WHERE s.submitter = a.submitter
      AND (s.chain_latest_count > a.nonce OR s.chain_generation <> a.chain_generation))
RETURNING a.id
