-- Applies a batch of holders' commands; the function states guarantee and replies.
-- hot
-- $1 commands text[]
-- $2 ids uuid[]
-- $3 submitters text[]
-- $4 nonces bigint[]
-- $5 hashes text[]
-- $6 raw bytea[]
-- $7 notes text[]
-- $8 ttls_ms integer[]
-- $9 followable boolean[]
-- $10 quarantine_ms integer
-- $11 release text
-- $12 epochs bigint[] null  facts of fast grants; null when no command carries any
-- $13 generations integer[] null
-- $14 sources text[] null
-- $15 exposures text[] null
-- $16 operations text[] null
-- $17 metadata text[] null
-- $18 granted_ms bigint[] null
-- $19 deadlines_ms bigint[] null
-- $20 server text null  as the others; checked only where a command lets bytes leave or makes a row
SELECT * FROM :schema.command_batch(
  CASE WHEN :schema.same_server(
    CASE WHEN 'intent' = ANY ($1::text[]) OR $12::bigint[] IS NOT NULL THEN $20 END)
  THEN $1::text[] END,
  $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) ORDER BY ord
