-- Gives back every shard a worker holds.
-- $1 worker text
SELECT :schema.release_flush_shards($1)
