-- Tells the incarnation of the primary that serves one shard.
-- Guarantee: the same text as the other scripts compare; an error when this is not a primary.
-- KEYS[1] any key of the shard
-- ARGV none
-- Replies: run id, replication id and role, joined by colons

--#include incarnation.lua

return incarnation_of_server() or not_a_primary()
