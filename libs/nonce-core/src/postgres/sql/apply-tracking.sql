-- Applies verdicts of the tracker; the function states guarantee and replies.
-- $1 ids uuid[]
-- $2 from_stages text[]
-- $3 to_stages text[]
-- $4 hashes_seen integer[]  hashes the decision knew; null = any
-- $5 tx_hashes text[]  the hash that mined
-- $6 block_numbers bigint[]
-- $7 block_hashes text[]
-- $8 proofs text[]
-- $9 reasons text[]
-- $10 next_look_ms integer[]
-- $11 release_ms integer[]  for rows that enter quarantine
-- $12 stuck boolean[]
-- $13 server text null  start of the verified run of the server; null = not checked
SELECT id FROM :schema.apply_tracking(
  CASE WHEN :schema.same_server($13) THEN $1::uuid[] END, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
