-- Which worker flushes which shard.

-- Renews a worker's shards, gives back what exceeds its fair share, and takes free ones up to it.
-- Replies the shards that are now its own.
CREATE OR REPLACE FUNCTION :schema.claim_flush_shards(p_worker text, p_shards integer, p_lease_ms integer)
RETURNS SETOF integer LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz;
  v_until timestamptz;
  v_share integer;
BEGIN
  -- Claims are rare and short: one at a time, each counts what the one before has done.
  PERFORM pg_advisory_xact_lock(hashtextextended(':schema.flush_shard', 0));
  v_now := clock_timestamp();
  v_until := v_now + p_lease_ms * interval '1 ms';

  UPDATE :schema.flush_worker w SET worker = p_worker, lease_until = v_until
  WHERE w.slot = (
    SELECT o.slot FROM :schema.flush_worker o
    WHERE o.worker = p_worker OR o.lease_until <= v_now
    ORDER BY o.worker = p_worker DESC, o.slot LIMIT 1);
  IF NOT FOUND THEN
    INSERT INTO :schema.flush_worker (slot, worker, lease_until)
    SELECT coalesce(max(o.slot), 0) + 1, p_worker, v_until FROM :schema.flush_worker o;
  END IF;
  INSERT INTO :schema.flush_shard (shard)
  SELECT n FROM generate_series(0, p_shards - 1) AS n
  WHERE NOT EXISTS (SELECT 1 FROM :schema.flush_shard f WHERE f.shard = n)
  ON CONFLICT (shard) DO NOTHING;

  SELECT ceil(p_shards::numeric / count(*)) INTO v_share
  FROM :schema.flush_worker w WHERE w.lease_until > v_now;
  UPDATE :schema.flush_shard f
  SET worker = CASE WHEN m.place <= v_share THEN p_worker END,
      lease_until = CASE WHEN m.place <= v_share THEN v_until ELSE '-infinity' END
  FROM (
    -- Its own first, then those that nobody holds.
    SELECT o.shard, o.worker,
      row_number() OVER (ORDER BY (o.worker = p_worker) IS TRUE DESC, o.shard) AS place
    FROM :schema.flush_shard o
    WHERE o.shard < p_shards AND (o.worker = p_worker OR o.lease_until <= v_now)) m
  WHERE f.shard = m.shard AND (m.place <= v_share OR m.worker = p_worker);
  RETURN QUERY SELECT f.shard FROM :schema.flush_shard f
  WHERE f.worker = p_worker AND f.shard < p_shards ORDER BY f.shard;
END $$;

-- Gives back everything a worker holds, so that others need not wait for its leases to end.
CREATE OR REPLACE FUNCTION :schema.release_flush_shards(p_worker text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(':schema.flush_shard', 0));
  UPDATE :schema.flush_shard f SET worker = NULL, lease_until = '-infinity'
  WHERE f.worker = p_worker;
  UPDATE :schema.flush_worker w SET lease_until = '-infinity' WHERE w.worker = p_worker;
END $$;
