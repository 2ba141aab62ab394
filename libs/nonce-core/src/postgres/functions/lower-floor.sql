-- Takes back raises of the issuing floor whose blocks were proven to be replaced.
--
-- Guarantee: the floor falls from the one the asker saw, by whole remembered raises, never below the
-- finalized count nor below what was known before the first of them; numbers that this makes issuable
-- and that have no row were skipped, not issued, and become REUSABLE rows, so that they are issued
-- before any fresh one. Where rows may have been forgotten (a relaxed epoch, a recovery) they are
-- quarantined instead. Beside a fast epoch that rules nothing is done: its store knows the old floor.
-- `p_replaced` are the counts of the raises that are taken back.
-- Replies one row, or none for a submitter without a state: verdict `lowered` | `stale` (the floor is
-- another by now, or not all raises above the count are proven) | `fast` | `final`; the floor now,
-- and how many skipped numbers became rows.
CREATE OR REPLACE FUNCTION :schema.lower_floor(
  p_submitter     text,
  p_seen          bigint,
  p_to            bigint,
  p_replaced      bigint[],
  p_limit         integer,
  p_quarantine_ms integer,
  p_release       text
) RETURNS TABLE (verdict text, chain_latest bigint, reopened bigint) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_state :schema.submitter_nonce_state%ROWTYPE;
  v_now timestamptz;
  v_to bigint;
  v_unsure boolean;
  v_reopened bigint := 0;
BEGIN
  SELECT * INTO v_state FROM :schema.submitter_nonce_state s
  WHERE s.submitter = p_submitter FOR UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  v_now := clock_timestamp();
  SELECT greatest(p_to, min(r.previous_count)) INTO v_to FROM :schema.floor_raise r
  WHERE r.submitter = p_submitter AND r.chain_generation = v_state.chain_generation
    AND r.count = ANY (p_replaced);
  IF v_state.chain_latest_count IS DISTINCT FROM p_seen OR v_state.reset_seen_at IS NOT NULL
    OR v_to IS NULL OR v_to >= p_seen OR p_seen <> ALL (p_replaced) OR EXISTS (
      SELECT 1 FROM :schema.floor_raise r
      WHERE r.submitter = p_submitter AND r.chain_generation = v_state.chain_generation
        AND r.count > v_to AND r.count <> ALL (p_replaced)) THEN
    RETURN QUERY SELECT 'stale'::text, v_state.chain_latest_count, 0::bigint;
    RETURN;
  END IF;
  IF v_state.engine <> 'reliable' THEN
    RETURN QUERY SELECT 'fast'::text, v_state.chain_latest_count, 0::bigint;
    RETURN;
  END IF;
  -- A foreign wallet may have gone on far ahead: one statement makes a bounded number of rows.
  IF v_to < v_state.chain_finalized_count OR p_seen - v_to > p_limit THEN
    RETURN QUERY SELECT 'final'::text, v_state.chain_latest_count, 0::bigint;
    RETURN;
  END IF;
  v_unsure := v_state.recovery_epoch IS NOT NULL OR EXISTS (
    SELECT 1 FROM :schema.epoch_log l
    WHERE l.submitter = p_submitter AND l.intents = 'relaxed' AND l.base < p_seen
      AND coalesce(l.ceiling, p_seen) > v_to);
  INSERT INTO :schema.submitter_nonce_allocation (
    submitter, chain_generation, nonce, id, stage, source, exposure, engine, generation, epoch,
    shared, note, due_at, release_at, created_at, updated_at)
  SELECT p_submitter, v_state.chain_generation, n, gen_random_uuid(),
    CASE WHEN v_unsure THEN 'QUARANTINED' ELSE 'REUSABLE' END:::schema.allocation_stage, 'fresh',
    CASE WHEN v_unsure THEN 'assumed' ELSE 'declared' END:::schema.allocation_exposure,
    v_state.engine, CASE WHEN v_unsure THEN 1 ELSE 0 END, v_state.epoch, v_unsure,
    'skipped, and its block was replaced',
    CASE WHEN v_unsure THEN v_now + p_quarantine_ms / 2 * interval '1 ms' END,
    CASE WHEN v_unsure AND p_release = 'replacement'
      THEN v_now + p_quarantine_ms * interval '1 ms' END,
    v_now, v_now
  FROM generate_series(v_to, least(p_seen, v_state.next_local_nonce) - 1) AS n
  ON CONFLICT (submitter, chain_generation, nonce) DO NOTHING;
  GET DIAGNOSTICS v_reopened = ROW_COUNT;
  DELETE FROM :schema.floor_raise r
  WHERE r.submitter = p_submitter AND r.chain_generation = v_state.chain_generation
    AND r.count = ANY (p_replaced);
  UPDATE :schema.submitter_nonce_state s
  SET chain_latest_count = v_to, updated_at = v_now
  WHERE s.submitter = p_submitter;
  RETURN QUERY SELECT 'lowered'::text, v_to, v_reopened;
END $$;
