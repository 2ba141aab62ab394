-- Makes fast grants durable; the function states guarantee and replies.
-- hot
-- $1 requests integer[]
-- $2 ids uuid[]
-- $3 submitters text[]
-- $4 nonces bigint[]
-- $5 epochs bigint[]
-- $6 generations integer[]
-- $7 sources text[]
-- $8 exposures text[]
-- $9 operations text[] null  null when no request names an operation
-- $10 hashes text[]  request digests
-- $11 metadata text[] null
-- $12 granted_ms bigint[]
-- $13 deadlines_ms bigint[]
-- $14 server text null  start of the verified run of the server; null = not checked
SELECT * FROM :schema.record_grants(
  CASE WHEN :schema.same_server($14) THEN $1::integer[] END, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ORDER BY request
