-- Nonces by their keys, of the current generation, in whatever stage they are; one probe for each.
-- $1 submitters text[]
-- $2 nonces bigint[]  one per submitter
SELECT k.submitter, a.nonce, a.id, a.stage, a.epoch AS row_epoch,
  (extract(epoch FROM a.updated_at) * 1000000)::bigint AS changed_us
FROM unnest($1::text[], $2::bigint[]) AS k (submitter, nonce)
CROSS JOIN LATERAL (
  SELECT r.nonce, r.id, r.stage, r.epoch, r.updated_at
  FROM :schema.submitter_nonce_allocation r
  WHERE r.submitter = k.submitter AND r.nonce = k.nonce
    AND r.chain_generation = (
      SELECT s.chain_generation FROM :schema.submitter_nonce_state s WHERE s.submitter = k.submitter)
  LIMIT 1) a
