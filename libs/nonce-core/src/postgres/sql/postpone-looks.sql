-- Moves the next look of rows, and nothing else. One that was made due since it was claimed, by a block
-- with its transaction, stays due.
-- $1 ids uuid[]
-- $2 next_look_ms integer[]
WITH locked AS MATERIALIZED (
  SELECT a.id FROM :schema.submitter_nonce_allocation a
  WHERE a.id = ANY ($1) AND a.due_at > statement_timestamp()
  ORDER BY a.submitter, a.chain_generation, a.nonce
  FOR UPDATE
)
UPDATE :schema.submitter_nonce_allocation a
SET due_at = statement_timestamp() + p.next_look_ms * interval '1 ms'
FROM locked, unnest($1::uuid[], $2::integer[]) AS p (id, next_look_ms)
WHERE a.id = locked.id AND a.id = p.id
