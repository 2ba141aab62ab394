-- Renews and takes a worker's fair share of the shards; replies those it now holds.
-- $1 worker text
-- $2 shards integer  how many there are
-- $3 lease_ms integer
SELECT :schema.claim_flush_shards($1, $2, $3) AS shard
