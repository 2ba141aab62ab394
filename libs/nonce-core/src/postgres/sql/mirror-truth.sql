-- Where submitters stand: their next nonce, and their open ones, of the current generation.
-- One row per open nonce; a submitter without any has one row without a nonce. Each kind of open nonce
-- is read in the order of the partial index that holds it, and reserved ones with a generation that the
-- primary key cannot use: a plan made for an empty table would read all that a submitter ever used.
-- $1 submitters text[]
-- $2 limit integer  open nonces of each kind per submitter
SELECT s.submitter, s.epoch, s.next_local_nonce AS next,
  (extract(epoch FROM statement_timestamp()) * 1000000)::bigint AS as_of_us,
  a.nonce, a.id, a.stage, a.epoch AS row_epoch,
  (extract(epoch FROM a.updated_at) * 1000000)::bigint AS changed_us
FROM :schema.submitter_nonce_state s
LEFT JOIN LATERAL (
  (SELECT r.nonce, r.id, r.stage, r.epoch, r.updated_at
   FROM :schema.submitter_nonce_allocation r
   WHERE r.submitter = s.submitter AND r.chain_generation + 0 = s.chain_generation
     AND r.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
   ORDER BY r.deadline LIMIT $2)
  UNION ALL
  (SELECT r.nonce, r.id, r.stage, r.epoch, r.updated_at
   FROM :schema.submitter_nonce_allocation r
   WHERE r.submitter = s.submitter AND r.chain_generation = s.chain_generation
     AND r.stage = 'REUSABLE' AND r.stage IN ('REUSABLE', 'QUARANTINED')
   ORDER BY r.nonce LIMIT $2)) a ON true
WHERE s.submitter = ANY ($1)
ORDER BY s.submitter, a.nonce
