-- Takes back raises of the issuing floor; the function states guarantee and replies.
-- $1 submitter text
-- $2 seen_count bigint  the floor as the asker knows it
-- $3 to_count bigint  what the chain shows
-- $4 replaced bigint[]  counts of the raises whose blocks were replaced
-- $5 row_limit integer
-- $6 quarantine_ms integer
-- $7 release text
-- $8 server text null  start of the verified run of the server; null = not checked
SELECT verdict, chain_latest, reopened
FROM :schema.lower_floor(CASE WHEN :schema.same_server($8) THEN $1::text END, $2, $3, $4, $5, $6, $7)
