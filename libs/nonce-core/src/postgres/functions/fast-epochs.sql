-- Epochs of fast engines: who may issue which range. Callers hold the lock of the state row.

-- Whether nothing was written to Postgres before a send in this epoch: its store alone knew who held
-- a nonce, and what it granted anew had been given back to it.
CREATE OR REPLACE FUNCTION :schema.is_relaxed(p_submitter text, p_epoch bigint) RETURNS boolean
LANGUAGE sql STABLE
SET enable_seqscan = off
AS $$
  SELECT EXISTS (
    SELECT 1 FROM :schema.epoch_log l
    WHERE l.submitter = p_submitter AND l.epoch = p_epoch AND l.intents = 'relaxed')
$$;

-- A change of authority: one winner per epoch seen. The new epoch starts at the old ceiling.
-- A strict epoch, or one whose store ended it at `p_retired_next`, leaves what has no row to the
-- walk: it was never exposed. A relaxed epoch that was cut off leaves everything without a verdict
-- in quarantine, also what its store was handed as free: it may have been granted and sent since.
-- The facts of a store that ended a relaxed epoch are rows before this is called; what it issued and
-- has no row all the same waits in quarantine for whoever may have heard of it.
DROP FUNCTION IF EXISTS :schema.change_epoch(
  text, bigint, :schema.engine_name, text, integer, text, text);
CREATE OR REPLACE FUNCTION :schema.change_epoch(
  p_submitter     text,
  p_seen_epoch    bigint,
  p_engine        :schema.engine_name,
  p_incarnation   text,
  p_raise         integer,
  p_intents       text,
  p_reason        text,
  p_retired_next  bigint DEFAULT NULL,
  p_quarantine_ms integer DEFAULT 30000,
  p_release       text DEFAULT 'replacement'
) RETURNS bigint LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_old :schema.submitter_nonce_state%ROWTYPE;
  v_now timestamptz;
  v_intents text;
  v_walk boolean;
BEGIN
  SELECT * INTO v_old FROM :schema.submitter_nonce_state s
  WHERE s.submitter = p_submitter FOR UPDATE;
  IF NOT FOUND OR v_old.epoch <> p_seen_epoch THEN
    RETURN NULL;
  END IF;
  v_now := clock_timestamp();
  SELECT l.intents INTO v_intents FROM :schema.epoch_log l
  WHERE l.submitter = p_submitter AND l.epoch = v_old.epoch;
  v_walk := coalesce(v_intents = 'strict', false) OR p_retired_next IS NOT NULL
    -- Postgres itself issued, or no store was ever told of this epoch.
    OR v_old.engine = 'reliable' OR (v_old.engine = 'performance' AND v_old.incarnation IS NULL);
  IF NOT v_walk THEN
    PERFORM :schema.quarantine_cut_off(p_submitter, v_now, p_quarantine_ms, p_release);
  ELSIF v_intents = 'relaxed' AND p_retired_next IS NOT NULL THEN
    -- Below the count of the chain nothing is walked, and nothing waits for an owner.
    PERFORM :schema.quarantine_unknown(p_submitter, greatest(v_old.base, v_old.chain_latest_count),
      least(p_retired_next, v_old.ceiling), v_now, p_quarantine_ms, p_release);
  END IF;
  UPDATE :schema.epoch_log l
  SET ceiling = v_old.ceiling, closed_at = v_now, retired_next = p_retired_next
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
        WHEN NOT v_walk OR s.walk_cursor < s.walk_end THEN s.walk_cursor
        ELSE greatest(v_old.base, s.walk_cursor) END,
      walk_end = CASE WHEN v_walk THEN v_old.ceiling ELSE s.walk_end END,
      -- From now on the sweep looks after the reservations of the closed epoch.
      reclaim_at = CASE WHEN v_old.engine = 'reliable' THEN s.reclaim_at
        ELSE least(s.reclaim_at, v_now) END,
      updated_at = v_now
  WHERE s.submitter = p_submitter;
  RETURN v_old.epoch + 1;
END $$;

-- The rows of a relaxed epoch that was cut off. A holder nobody knows gets generation 1 of it; the
-- mark `shared` keeps a repeated release by an earlier holder from freeing what a later one sent.
CREATE OR REPLACE FUNCTION :schema.quarantine_cut_off(
  p_submitter     text,
  p_now           timestamptz,
  p_quarantine_ms integer,
  p_release       text
) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_state :schema.submitter_nonce_state%ROWTYPE;
  v_due timestamptz := p_now + p_quarantine_ms / 2 * interval '1 ms';
  v_release timestamptz := CASE WHEN p_release = 'replacement'
    THEN p_now + p_quarantine_ms * interval '1 ms' END;
BEGIN
  SELECT * INTO v_state FROM :schema.submitter_nonce_state s WHERE s.submitter = p_submitter;
  WITH undecided AS MATERIALIZED (
    SELECT a.nonce FROM :schema.submitter_nonce_allocation a
    WHERE a.submitter = p_submitter AND a.chain_generation = v_state.chain_generation
      AND (
        (a.stage = 'GRANTED' AND a.engine = v_state.engine AND a.epoch = v_state.epoch)
        OR (a.stage = 'REUSABLE' AND a.loaded_epoch = v_state.epoch)
        OR (a.stage IN ('GRANTED', 'REUSABLE') AND a.nonce >= v_state.base
          AND a.nonce < v_state.ceiling))
    ORDER BY a.nonce
    FOR UPDATE
  )
  UPDATE :schema.submitter_nonce_allocation a
  SET stage = 'QUARANTINED', deadline = NULL, shared = true, due_at = v_due,
      release_at = v_release, note = 'fast store lost', updated_at = p_now
  FROM undecided u
  WHERE a.submitter = p_submitter AND a.chain_generation = v_state.chain_generation
    AND a.nonce = u.nonce;
  PERFORM :schema.quarantine_unknown(p_submitter, v_state.base, v_state.ceiling, p_now,
    p_quarantine_ms, p_release);
END $$;

-- Nonces of the ruling epoch that may have been issued to somebody Postgres never heard of.
CREATE OR REPLACE FUNCTION :schema.quarantine_unknown(
  p_submitter     text,
  p_from          bigint,
  p_to            bigint,
  p_now           timestamptz,
  p_quarantine_ms integer,
  p_release       text
) RETURNS void LANGUAGE sql
SET enable_seqscan = off
AS $$
  INSERT INTO :schema.submitter_nonce_allocation (
    submitter, chain_generation, nonce, id, stage, source, exposure, engine, generation, epoch,
    shared, note, due_at, release_at, created_at, updated_at)
  SELECT s.submitter, s.chain_generation, n, gen_random_uuid(), 'QUARANTINED', 'fresh', 'assumed',
    s.engine, 1, s.epoch, true, 'fast store lost', p_now + p_quarantine_ms / 2 * interval '1 ms',
    CASE WHEN p_release = 'replacement' THEN p_now + p_quarantine_ms * interval '1 ms' END,
    p_now, p_now
  FROM :schema.submitter_nonce_state s
  CROSS JOIN generate_series(p_from, p_to - 1) AS n
  WHERE s.submitter = p_submitter
  ON CONFLICT (submitter, chain_generation, nonce) DO NOTHING
$$;

-- Hands the lowest issuable nonces of earlier holders to the fast store of the ruling epoch, each
-- once per epoch: a second time it may be held there. A batch of them is a loan. What was handed over
-- after `p_loan_seen`, the last loan that the store is known to have taken, never reached it and is
-- handed over again; the store takes it only while that is still its last. null = all arrived.
CREATE OR REPLACE FUNCTION :schema.load_free(
  p_submitter      text,
  p_limit          integer,
  p_default_window integer,
  p_quarantine_ms  integer,
  p_release        text,
  p_loan_seen      bigint,
  OUT nonces       bigint[],
  OUT tainted      boolean[],
  OUT more         boolean,
  OUT loan         bigint,
  OUT loan_seen    bigint
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_ids uuid[];
  v_now timestamptz := clock_timestamp();
  v_state :schema.submitter_nonce_state%ROWTYPE;
BEGIN
  SELECT * INTO v_state FROM :schema.submitter_nonce_state s WHERE s.submitter = p_submitter;
  IF v_state.reclaim_at <= v_now THEN
    PERFORM :schema.reclaim_of(ARRAY[p_submitter], v_now, p_quarantine_ms, p_release, p_limit);
  END IF;
  IF v_state.walk_cursor < v_state.walk_end THEN
    PERFORM :schema.walk_closed_ranges(p_submitter, p_limit, p_default_window, v_now);
    SELECT * INTO v_state FROM :schema.submitter_nonce_state s WHERE s.submitter = p_submitter;
  END IF;
  -- Found first and locked then: only a search that locks nothing prefers the index of what may be
  -- issued again to that of all rows, when the plan was made for an empty table.
  WITH found AS MATERIALIZED (
    SELECT a.nonce FROM :schema.submitter_nonce_allocation a
    WHERE a.submitter = p_submitter AND a.chain_generation = v_state.chain_generation
      AND a.stage IN ('REUSABLE', 'QUARANTINED')
      AND a.nonce >= coalesce(v_state.chain_latest_count, 0)
      AND (a.loaded_epoch IS DISTINCT FROM v_state.epoch OR a.loan > p_loan_seen)
      AND (a.stage = 'REUSABLE' OR a.release_at <= v_now)
    ORDER BY a.nonce
    LIMIT p_limit
  )
  SELECT array_agg(a.id), coalesce(array_agg(f.nonce), '{}'), coalesce(array_agg(a.tainted), '{}')
  INTO v_ids, nonces, tainted
  FROM (SELECT found.nonce FROM found ORDER BY found.nonce) f
  CROSS JOIN LATERAL (
    SELECT k.id, k.stage = 'QUARANTINED' AS tainted
    FROM :schema.submitter_nonce_allocation k
    WHERE k.submitter = p_submitter AND k.chain_generation = v_state.chain_generation
      AND k.nonce = f.nonce
      AND (k.stage::text = 'REUSABLE' OR k.stage::text = 'QUARANTINED' AND k.release_at <= v_now)
    LIMIT 1
    FOR UPDATE) a;
  loan_seen := coalesce(p_loan_seen, v_state.loan);
  loan := v_state.loan;
  IF cardinality(nonces) > 0 THEN
    loan := v_state.loan + 1;
    UPDATE :schema.submitter_nonce_allocation a
    -- One that is handed over again keeps the number of its first batch: the store may have had that
    -- one, and granted from it.
    SET loan = CASE WHEN a.loaded_epoch = v_state.epoch THEN a.loan ELSE v_state.loan + 1 END,
      loaded_epoch = v_state.epoch
    WHERE a.id = ANY (v_ids);
    UPDATE :schema.submitter_nonce_state s SET loan = v_state.loan + 1
    WHERE s.submitter = p_submitter;
  END IF;
  more := cardinality(nonces) >= p_limit OR v_state.walk_cursor < least(v_state.walk_end, CASE
    WHEN coalesce(v_state.max_in_flight, p_default_window) = 0
      OR v_state.chain_latest_count IS NULL THEN v_state.walk_end
    ELSE v_state.chain_latest_count + coalesce(v_state.max_in_flight, p_default_window) END);
END $$;

-- What limits a fast epoch beside its ceiling. Under relaxed intents half of the window: that is
-- how many nonces may be in an unknown state when the fast store is lost.
CREATE OR REPLACE FUNCTION :schema.fast_limits(
  p_submitter      text,
  p_default_window integer,
  p_intents        text,
  OUT floor_count  bigint,
  OUT window_end   bigint,
  OUT max_reserved integer,
  OUT reserved     integer,
  OUT paused       boolean
) LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_state :schema.submitter_nonce_state%ROWTYPE;
  v_window integer;
BEGIN
  SELECT * INTO v_state FROM :schema.submitter_nonce_state s WHERE s.submitter = p_submitter;
  v_window := CASE WHEN v_state.delegated_at IS NOT NULL THEN 1
    ELSE coalesce(v_state.max_in_flight, p_default_window) END;
  IF p_intents = 'relaxed' AND v_window > 0 THEN
    v_window := greatest(1, v_window / 2);
  END IF;
  paused := v_state.paused_at IS NOT NULL OR v_state.reset_seen_at IS NOT NULL;
  floor_count := coalesce(v_state.chain_latest_count, 0);
  max_reserved := v_window;
  reserved := 0;
  window_end := CASE
    WHEN v_window = 0 THEN 9007199254740991
    WHEN v_state.chain_latest_count IS NOT NULL THEN v_state.chain_latest_count + v_window END;
  IF window_end IS NULL THEN
    SELECT count(*) INTO reserved FROM (
      SELECT 1 FROM :schema.submitter_nonce_allocation a
      WHERE a.submitter = p_submitter AND a.chain_generation = v_state.chain_generation
        AND a.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
        AND NOT (a.stage = 'GRANTED' AND a.engine = 'performance' AND a.epoch = v_state.epoch)
      LIMIT v_window) open;
  END IF;
END $$;
