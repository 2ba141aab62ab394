-- What operations are bound to; kind `new` where nothing binds one. Locks state rows in key order.
-- $1 submitters text[]
-- $2 operations text[]
-- $3 hashes text[]  request digests
-- $4 counts integer[]
-- $5 exposures text[]
SELECT q.ord, f.kind, f.detail
FROM (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::text[]) WITH ORDINALITY
    AS r (submitter, operation, hash, count, exposure, ord)
  ORDER BY r.submitter COLLATE "C", r.ord) q
CROSS JOIN LATERAL :schema.find_binding(q.submitter, q.operation, q.hash, q.count, q.exposure) f
ORDER BY q.ord
