-- Counts an attempt to send stored bytes again, before they are sent: one of two workers that hold a
-- claim of the same row gets it, and none once the attempts are spent. Keeps the claim. Locks the rows
-- in key order; replies the ids of the rows that may be sent.
-- $1 ids uuid[]
-- $2 from_stages text[]
-- $3 hashes_seen integer[]
-- $4 claims text[]  due_at as the claim wrote it
-- $5 max_per_minute integer
-- $6 max_total integer
-- $7 lease_ms integer
-- $8 server text null  start of the verified run of the server; null = not checked
WITH locked AS MATERIALIZED (
  SELECT a.id FROM :schema.submitter_nonce_allocation a
  WHERE a.id = ANY (CASE WHEN :schema.same_server($8) THEN $1::uuid[] END)
  ORDER BY a.submitter, a.chain_generation, a.nonce
  FOR UPDATE
)
UPDATE :schema.submitter_nonce_allocation a
SET resends = a.resends + 1,
    resends_in_minute = CASE
      WHEN a.resend_minute_at > statement_timestamp() - interval '1 minute'
      THEN a.resends_in_minute + 1 ELSE 1 END,
    resend_minute_at = CASE
      WHEN a.resend_minute_at > statement_timestamp() - interval '1 minute'
      THEN a.resend_minute_at ELSE statement_timestamp() END,
    due_at = clock_timestamp() + $7::integer * interval '1 ms'
FROM locked, unnest($1::uuid[], $2::text[], $3::integer[], $4::text[])
  AS b (id, from_stage, hashes_seen, claim)
WHERE a.id = locked.id AND a.id = b.id
  AND a.stage = b.from_stage:::schema.allocation_stage
  AND coalesce(cardinality(a.hashes), 0) = b.hashes_seen
  AND a.due_at = b.claim::timestamptz
  AND a.resends < $6::integer
  AND (a.resend_minute_at IS NULL OR a.resends_in_minute < $5::integer
    OR a.resend_minute_at <= statement_timestamp() - interval '1 minute')
RETURNING a.id
