-- Submitters whose last alignment is older than wanted, the least recent first. A submitter with
-- nothing open is looked at twenty times less often: only foreign use could concern it.
-- $1 chain_ids bigint[]
-- $2 older_than_ms integer
-- $3 row_limit integer
SELECT due.submitter
FROM unnest($1::bigint[]) AS chain (id)
CROSS JOIN LATERAL (
  SELECT s.submitter, s.aligned_at
  FROM :schema.submitter_nonce_state s
  WHERE s.chain_id = chain.id
    AND (s.aligned_at IS NULL OR s.aligned_at <= statement_timestamp() - $2 * interval '1 ms'
      * CASE WHEN s.next_local_nonce > coalesce(s.chain_finalized_count, -1) THEN 1 ELSE 20 END)
  ORDER BY s.aligned_at NULLS FIRST
  LIMIT $3) due
ORDER BY due.aligned_at NULLS FIRST
LIMIT $3
