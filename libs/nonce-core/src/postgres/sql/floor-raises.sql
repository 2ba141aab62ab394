-- The remembered raises of the issuing floor above a count, highest first.
-- $1 submitter text
-- $2 above_count bigint
SELECT r.count, r.previous_count, r.block_number, r.block_hash
FROM :schema.floor_raise r
JOIN :schema.submitter_nonce_state s
  ON s.submitter = r.submitter AND s.chain_generation = r.chain_generation
WHERE r.submitter = $1 AND r.count > $2
ORDER BY r.count DESC
