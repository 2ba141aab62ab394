-- Figures of which people are told, the worst of each kind, read from the partial indexes of open
-- work: reserved age (ms), nonces that became free within ten minutes and were not issued again,
-- issued nonces beyond the chain's count, age of the last alignment (ms), time degraded, or without
-- Redis in another mode (ms).
-- $1 chain_ids bigint[]  chains that submitters are aligned with
-- $2 worst integer  figures per kind
WITH reserved AS MATERIALIZED (
  SELECT a.submitter, min(a.created_at) AS since
  FROM :schema.submitter_nonce_allocation a
  WHERE a.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
  GROUP BY a.submitter
)
(SELECT 'reserved-age' AS kind, r.submitter AS subject,
   extract(epoch FROM statement_timestamp() - r.since)::double precision * 1000 AS value
 FROM reserved r ORDER BY r.since LIMIT $2)
UNION ALL
(SELECT 'recyclable-growth', a.submitter, count(*)::double precision
 FROM :schema.submitter_nonce_allocation a
 WHERE a.stage IN ('REUSABLE', 'QUARANTINED') AND a.stage = 'REUSABLE'
   AND a.updated_at > statement_timestamp() - interval '10 min'
 GROUP BY a.submitter ORDER BY count(*) DESC LIMIT $2)
UNION ALL
(SELECT 'chain-lag', s.submitter, (s.next_local_nonce - s.chain_latest_count)::double precision
 FROM reserved r JOIN :schema.submitter_nonce_state s ON s.submitter = r.submitter
 WHERE s.chain_latest_count IS NOT NULL
 ORDER BY s.next_local_nonce - s.chain_latest_count DESC LIMIT $2)
UNION ALL
(SELECT 'alignment', due.submitter,
   extract(epoch FROM statement_timestamp() - due.aligned_at)::double precision * 1000
 FROM unnest($1::bigint[]) AS chain (id)
 CROSS JOIN LATERAL (
   SELECT s.submitter, s.aligned_at FROM :schema.submitter_nonce_state s
   WHERE s.chain_id = chain.id AND s.aligned_at IS NOT NULL
     AND s.next_local_nonce > coalesce(s.chain_finalized_count, -1)
   ORDER BY s.aligned_at LIMIT $2) due
 ORDER BY due.aligned_at LIMIT $2)
UNION ALL
SELECT 'degraded', 'mode',
  extract(epoch FROM statement_timestamp() - m.since)::double precision * 1000
FROM :schema.engine_mode m WHERE m.mode = 'DEGRADED'
UNION ALL
SELECT 'degraded', 'redis',
  extract(epoch FROM statement_timestamp() - min(r.down_since))::double precision * 1000
FROM :schema.redis_report r
WHERE r.down_since IS NOT NULL AND r.reported_at > statement_timestamp() - interval '1 min'
  AND NOT EXISTS (SELECT FROM :schema.engine_mode m WHERE m.mode = 'DEGRADED')
HAVING count(*) > 0
