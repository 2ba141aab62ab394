-- What an alignment would do; the function states how.
-- $1 submitter text
-- $2 latest_count bigint
-- $3 finalized_count bigint null
-- $4 genesis_hash text
-- $5 row_limit integer  rows settled by one call; the rest is left for the next
-- $6 block_number bigint null  block at which the latest count was read
-- $7 block_hash text null
-- $8 deep_number bigint null  height below which no block is undone
-- $9 delegated boolean null  whether the account delegates to code; null = not asked
-- $10 server text null  start of the verified run of the server; null = not checked
SELECT verdict, known_genesis, chain_latest, last_chain_nonce, foreign_use, fenced, finalized, stuck,
  lowered
FROM :schema.foresee_alignment(CASE WHEN :schema.same_server($10) THEN $1::text END, $2, $3, $4, $5, $6, $7, $8, $9)
