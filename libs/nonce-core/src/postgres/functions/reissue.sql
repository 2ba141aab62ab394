-- Makes nonces issuable again. The callers hold the locks of the state rows.

-- Reservations past their deadline: proven unsent ones become REUSABLE, the others QUARANTINED.
-- Rows another statement is just writing are left for the next call, and so are all but the
-- `p_limit` of each submitter that have been overdue longest. What a fast epoch that still rules
-- has granted is its store's to reclaim: its holders may have moved their deadlines there.
-- Deadlines are read in their order, not gathered and sorted: that would be all of them.
-- Once their ids are known, stages are compared as text: beside ids no index of stages is of use.
CREATE OR REPLACE FUNCTION :schema.reclaim_of(
  p_submitters    text[],
  p_now           timestamptz,
  p_quarantine_ms integer,
  p_release       text,
  p_limit         integer
) RETURNS SETOF uuid LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $$
BEGIN
  RETURN QUERY
  WITH overdue AS MATERIALIZED (
    SELECT a.id FROM :schema.submitter_nonce_allocation a
    WHERE a.id = ANY (ARRAY(
        SELECT c.id FROM unnest(p_submitters) AS p (submitter)
        JOIN :schema.submitter_nonce_state s ON s.submitter = p.submitter
        CROSS JOIN LATERAL (
          SELECT o.id FROM :schema.submitter_nonce_allocation o
          WHERE o.submitter = s.submitter
            AND o.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
            AND o.deadline <= p_now
            AND NOT (o.engine = 'performance' AND s.engine = 'performance' AND o.epoch = s.epoch)
          ORDER BY o.deadline
          LIMIT p_limit) c))
      AND a.stage::text = 'GRANTED'
      AND a.deadline <= p_now
    ORDER BY a.submitter, a.chain_generation, a.nonce
    FOR UPDATE SKIP LOCKED
  )
  UPDATE :schema.submitter_nonce_allocation a
  SET stage = CASE WHEN a.exposure = 'declared' AND a.source <> 'replacement' THEN 'REUSABLE'
        ELSE 'QUARANTINED' END:::schema.allocation_stage,
      deadline = NULL,
      due_at = CASE WHEN a.exposure <> 'declared' OR a.source = 'replacement'
        THEN p_now + p_quarantine_ms / 2 * interval '1 ms' END,
      loaded_epoch = NULL,
      release_at = CASE
        WHEN (a.exposure <> 'declared' OR a.source = 'replacement') AND p_release = 'replacement'
        THEN p_now + p_quarantine_ms * interval '1 ms' END,
      note = 'deadline passed',
      updated_at = p_now
  WHERE a.id = ANY (ARRAY(SELECT o.id FROM overdue o))
  RETURNING a.id;

  -- Of many reservations that a ruling fast epoch keeps to itself, only the first are passed over:
  -- the deadline at which this leaves off is when it looks again.
  UPDATE :schema.submitter_nonce_state s
  SET reclaim_at = coalesce((
    SELECT coalesce(min(f.deadline) FILTER (WHERE NOT f.is_ruled),
      CASE WHEN count(*) = 1000 THEN max(f.deadline) END)
    FROM (
      SELECT a.deadline,
        a.engine = 'performance' AND s.engine = 'performance' AND a.epoch = s.epoch AS is_ruled
      FROM :schema.submitter_nonce_allocation a
      WHERE a.submitter = s.submitter
        AND a.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
        AND a.deadline IS NOT NULL
      ORDER BY a.deadline
      LIMIT 1000) f), 'infinity')
  WHERE s.submitter = ANY (p_submitters) AND s.reclaim_at <= p_now;
END $$;

-- Nonces of closed strict ranges without a row were never exposed. The cursor visits each of them
-- once and turns it into a REUSABLE row, as many as are wanted now and fit into the window: they
-- were never issued, so they are fresh to the chain.
CREATE OR REPLACE FUNCTION :schema.walk_closed_ranges(
  p_submitter      text,
  p_wanted         integer,
  p_default_window integer,
  p_now            timestamptz
) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_state :schema.submitter_nonce_state%ROWTYPE;
  v_from bigint;
  v_to bigint;
  v_end bigint;
  v_found integer := 0;
  v_step integer;
BEGIN
  SELECT * INTO v_state FROM :schema.submitter_nonce_state s WHERE s.submitter = p_submitter;
  v_from := greatest(v_state.walk_cursor, coalesce(v_state.chain_latest_count, 0));
  v_end := CASE
    WHEN coalesce(v_state.max_in_flight, p_default_window) = 0 OR v_state.chain_latest_count IS NULL
    THEN v_state.walk_end
    ELSE least(v_state.walk_end,
      v_state.chain_latest_count + coalesce(v_state.max_in_flight, p_default_window)) END;
  WHILE v_from < v_end AND v_found < p_wanted LOOP
    v_to := least(v_end, v_from + p_wanted - v_found);
    INSERT INTO :schema.submitter_nonce_allocation (
      submitter, chain_generation, nonce, id, stage, source, exposure, engine, generation, epoch,
      note, created_at, updated_at)
    SELECT p_submitter, v_state.chain_generation, n, gen_random_uuid(), 'REUSABLE', 'fresh',
      'declared', v_state.engine, 0, v_state.epoch, 'closed range', p_now, p_now
    FROM generate_series(v_from, v_to - 1) AS n
    ON CONFLICT (submitter, chain_generation, nonce) DO NOTHING;
    GET DIAGNOSTICS v_step = ROW_COUNT;
    v_found := v_found + v_step;
    v_from := v_to;
  END LOOP;
  UPDATE :schema.submitter_nonce_state s
  SET walk_cursor = least(greatest(v_from, s.walk_cursor), s.walk_end)
  WHERE s.submitter = p_submitter;
END $$;
