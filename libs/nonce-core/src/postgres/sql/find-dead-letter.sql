-- One dead letter, open or resolved.
-- $1 id uuid
SELECT d.id, d.shard, d.entry_id, d.submitter, d.nonce, d.event, d.deliveries, d.reason, d.created_at
FROM :schema.dead_letter d
WHERE d.id = $1
