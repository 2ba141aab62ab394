-- Makes nonces issuable again. The callers hold the locks of the state rows.

-- Reservations past their deadline: proven unsent ones become REUSABLE, the others QUARANTINED.
-- Rows another statement is just writing are left for the next call, and so are all but the
-- `p_limit` of each submitter that have been overdue longest: the index finds these without looking
-- at the others, so that a large backlog slows nobody down.
CREATE FUNCTION :schema.reclaim_of(
  p_submitters    text[],
  p_now           timestamptz,
  p_quarantine_ms integer,
  p_release       text,
  p_limit         integer
) RETURNS SETOF uuid LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
BEGIN
  RETURN QUERY
  WITH overdue AS MATERIALIZED (
    SELECT a.id, a.exposure = 'declared' AND a.source <> 'replacement' AS unsent
    FROM :schema.submitter_nonce_allocation a
    WHERE a.id = ANY (ARRAY(
        SELECT c.id FROM unnest(p_submitters) AS s (submitter)
        CROSS JOIN LATERAL (
          SELECT o.id FROM :schema.submitter_nonce_allocation o
          WHERE o.submitter = s.submitter
            AND o.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
            AND o.deadline <= p_now
          ORDER BY o.deadline
          LIMIT p_limit) c))
      AND a.stage = 'GRANTED'
      AND a.deadline <= p_now
    ORDER BY a.submitter, a.chain_generation, a.nonce
    FOR UPDATE SKIP LOCKED
  )
  UPDATE :schema.submitter_nonce_allocation a
  SET stage = CASE WHEN o.unsent THEN 'REUSABLE' ELSE 'QUARANTINED' END:::schema.allocation_stage,
      deadline = NULL,
      due_at = CASE WHEN o.unsent THEN NULL ELSE p_now + p_quarantine_ms / 2 * interval '1 ms' END,
      release_at = CASE WHEN NOT o.unsent AND p_release = 'replacement'
        THEN p_now + p_quarantine_ms * interval '1 ms' END,
      note = 'deadline passed',
      updated_at = p_now
  FROM overdue o
  WHERE a.id = o.id AND a.stage = 'GRANTED'
  RETURNING a.id;

  UPDATE :schema.submitter_nonce_state s
  SET reclaim_at = coalesce((
    SELECT min(a.deadline) FROM :schema.submitter_nonce_allocation a
    WHERE a.submitter = s.submitter
      AND a.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
      AND a.deadline IS NOT NULL), 'infinity')
  WHERE s.submitter = ANY (p_submitters) AND s.reclaim_at <= p_now;
END $$;

-- Nonces of closed strict ranges without a row were never exposed. The cursor visits each of them
-- once and turns it into a REUSABLE row, as many as are wanted now and fit into the window: they
-- were never issued, so they are fresh to the chain.
CREATE FUNCTION :schema.walk_closed_ranges(
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

-- A change of authority: one winner per epoch seen. The new epoch starts at the old ceiling, and
-- what a strict fast epoch left without a row is queued for the walk.
CREATE FUNCTION :schema.change_epoch(
  p_submitter   text,
  p_seen_epoch  bigint,
  p_engine      :schema.engine_name,
  p_incarnation text,
  p_raise       integer,
  p_intents     text,
  p_reason      text
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_old :schema.submitter_nonce_state%ROWTYPE;
  v_strict boolean;
BEGIN
  SELECT * INTO v_old FROM :schema.submitter_nonce_state s
  WHERE s.submitter = p_submitter FOR UPDATE;
  IF NOT FOUND OR v_old.epoch <> p_seen_epoch THEN
    RETURN NULL;
  END IF;
  SELECT l.intents = 'strict' INTO v_strict FROM :schema.epoch_log l
  WHERE l.submitter = p_submitter AND l.epoch = v_old.epoch;
  UPDATE :schema.epoch_log l SET ceiling = v_old.ceiling, closed_at = clock_timestamp()
  WHERE l.submitter = p_submitter AND l.epoch = v_old.epoch;
  INSERT INTO :schema.epoch_log (submitter, epoch, engine, incarnation, base, intents, reason)
  VALUES (p_submitter, v_old.epoch + 1, p_engine, p_incarnation, v_old.ceiling, p_intents, p_reason);
  UPDATE :schema.submitter_nonce_state s
  SET epoch = v_old.epoch + 1,
      engine = p_engine,
      incarnation = p_incarnation,
      base = v_old.ceiling,
      next_local_nonce = v_old.ceiling,
      ceiling = v_old.ceiling + p_raise,
      walk_cursor = CASE
        WHEN NOT coalesce(v_strict, false) THEN s.walk_cursor
        WHEN s.walk_cursor < s.walk_end THEN s.walk_cursor
        ELSE greatest(v_old.base, s.walk_cursor) END,
      walk_end = CASE WHEN coalesce(v_strict, false) THEN v_old.ceiling ELSE s.walk_end END,
      updated_at = clock_timestamp()
  WHERE s.submitter = p_submitter;
  RETURN v_old.epoch + 1;
END $$;

-- Creates the state row of a submitter; changes nothing when it exists. Nonces that a pool already
-- held are quarantined: whoever sent them, they must not be issued clean.
CREATE FUNCTION :schema.open_submitter(
  p_submitter       text,
  p_engine          :schema.engine_name,
  p_start           bigint,
  p_pending         bigint,
  p_latest          bigint,
  p_finalized       bigint,
  p_genesis         text,
  p_quarantine_ms   integer,
  p_release         text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
  v_next bigint := greatest(p_start, p_pending);
BEGIN
  INSERT INTO :schema.submitter_nonce_state (
    submitter, engine, base, next_local_nonce, ceiling, chain_latest_count, chain_finalized_count,
    genesis_hash, aligned_at)
  VALUES (p_submitter, p_engine, p_start, v_next, v_next, p_latest, p_finalized, p_genesis,
    CASE WHEN p_latest IS NOT NULL THEN v_now END)
  ON CONFLICT (submitter) DO NOTHING;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO :schema.epoch_log (submitter, epoch, engine, base, reason)
  VALUES (p_submitter, 1, p_engine, p_start, 'first use');
  INSERT INTO :schema.submitter_nonce_allocation (
    submitter, chain_generation, nonce, id, stage, source, exposure, engine, generation, epoch,
    note, due_at, release_at, created_at, updated_at)
  SELECT p_submitter, 1, n, gen_random_uuid(), 'QUARANTINED', 'fresh', 'assumed', p_engine, 0, 1,
    'in a pool before first use', v_now + p_quarantine_ms / 2 * interval '1 ms',
    CASE WHEN p_release = 'replacement' THEN v_now + p_quarantine_ms * interval '1 ms' END,
    v_now, v_now
  FROM generate_series(p_start, v_next - 1) AS n;
  RETURN true;
END $$;
