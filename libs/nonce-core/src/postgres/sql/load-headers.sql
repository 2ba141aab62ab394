-- The kept headers of a chain from its head downwards.
-- $1 chain_id bigint
SELECT r.number, r.hash, r.parent_hash
FROM :schema.chain_head h
JOIN :schema.chain_header r ON r.chain_id = h.chain_id AND r.number <= h.head_number
WHERE h.chain_id = $1
ORDER BY r.number DESC
