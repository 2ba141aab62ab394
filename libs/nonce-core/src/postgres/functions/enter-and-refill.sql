-- Entering and refilling fast epochs, many submitters by one statement.

-- How far a ceiling may be raised now: never beyond what the window lets be issued.
CREATE OR REPLACE FUNCTION :schema.raised_ceiling(
  p_ceiling      bigint,
  p_raise        integer,
  p_window_end   bigint,
  p_max_reserved integer
) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT least(9007199254740991, greatest(p_ceiling, least(
    p_ceiling + CASE WHEN p_window_end IS NULL AND p_max_reserved > 0
      THEN least(p_raise, p_max_reserved) ELSE p_raise END,
    coalesce(p_window_end, 9007199254740991))))
$$;

-- Joins the ruling performance epoch of this incarnation, or wins a new one.
-- Guarantee: for each epoch at most one caller ever is told that it won. The winner alone gets the
-- free nonces; they count as handed over, whatever becomes of them.
-- `p_mode_epoch` null is asked by programs of before there were modes.
-- Locks state rows in key order. Replies one row per request: kind `epoch` | `absent` | `mode`, when
-- the mode has another epoch by now or entitles the submitter to no fast store.
DROP FUNCTION IF EXISTS :schema.enter_fast_epochs(
  text[], text[], bigint[], integer[], integer[], text[], text, integer, integer, text);
CREATE OR REPLACE FUNCTION :schema.enter_fast_epochs(
  p_submitters    text[],
  p_incarnations  text[],
  p_bad_epochs    bigint[],
  p_raises        integer[],
  p_windows       integer[],
  p_reasons       text[],
  p_intents       text,
  p_free_limit    integer,
  p_quarantine_ms integer,
  p_release       text,
  p_mode_epoch    bigint DEFAULT NULL
) RETURNS TABLE (
  ord integer, kind text, epoch bigint, incarnation text, won boolean, base bigint, ceiling bigint,
  floor_count bigint, window_end bigint, max_reserved integer, reserved integer, paused boolean,
  free bigint[], tainted boolean[], more boolean, loan bigint, loan_seen bigint
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  q record;
  v_state :schema.submitter_nonce_state%ROWTYPE;
  v_intents text;
  v_limits record;
BEGIN
  FOR q IN
    SELECT r.ord::integer, r.submitter, r.inc, r.bad, r.raise, r.default_window, r.reason
    FROM unnest(p_submitters, p_incarnations, p_bad_epochs, p_raises, p_windows, p_reasons)
      WITH ORDINALITY AS r (submitter, inc, bad, raise, default_window, reason, ord)
    ORDER BY r.submitter COLLATE "C"
  LOOP
    ord := q.ord;
    SELECT * INTO v_state FROM :schema.submitter_nonce_state s
    WHERE s.submitter = q.submitter FOR UPDATE;
    IF NOT FOUND THEN
      kind := 'absent';
      RETURN NEXT;
      CONTINUE;
    END IF;
    IF NOT :schema.may_enter_fast(q.submitter, p_mode_epoch) THEN
      kind := 'mode';
      RETURN NEXT;
      CONTINUE;
    END IF;
    SELECT l.intents INTO v_intents FROM :schema.epoch_log l
    WHERE l.submitter = q.submitter AND l.epoch = v_state.epoch;
    won := NOT coalesce(v_state.engine = 'performance' AND v_state.incarnation = q.inc
      AND v_intents = p_intents AND v_state.epoch IS DISTINCT FROM q.bad, false);
    free := '{}';
    tainted := '{}';
    more := false;
    IF won THEN
      PERFORM :schema.change_epoch(q.submitter, v_state.epoch, 'performance', q.inc, 0, p_intents,
        q.reason, NULL, p_quarantine_ms, p_release);
      SELECT f.nonces, f.tainted, f.more INTO free, tainted, more
      FROM :schema.load_free(q.submitter, p_free_limit, q.default_window, p_quarantine_ms, p_release,
        NULL) f;
    END IF;
    SELECT * INTO v_limits FROM :schema.fast_limits(q.submitter, q.default_window, p_intents);
    IF won THEN
      UPDATE :schema.submitter_nonce_state s
      SET ceiling = :schema.raised_ceiling(greatest(s.ceiling, v_limits.floor_count), q.raise,
            v_limits.window_end, v_limits.max_reserved)
      WHERE s.submitter = q.submitter;
    END IF;
    SELECT * INTO v_state FROM :schema.submitter_nonce_state s WHERE s.submitter = q.submitter;
    kind := 'epoch';
    epoch := v_state.epoch;
    incarnation := v_state.incarnation;
    base := v_state.base;
    ceiling := v_state.ceiling;
    floor_count := v_limits.floor_count;
    window_end := v_limits.window_end;
    max_reserved := v_limits.max_reserved;
    reserved := v_limits.reserved;
    paused := v_limits.paused;
    loan := v_state.loan;
    loan_seen := v_state.loan;
    RETURN NEXT;
  END LOOP;
END $$;

-- Raises the ceiling of a ruling performance epoch while it still is the one seen, and hands over
-- free nonces. Replies one row per request: kind `epoch` | `stale` | `absent` | `mode`: fresh nonces
-- were wanted and the mode entitles the submitter to no fast store, so nothing was changed; what the
-- epoch has granted goes on.
CREATE OR REPLACE FUNCTION :schema.refill_fast_epochs(
  p_submitters    text[],
  p_incarnations  text[],
  p_epochs        bigint[],
  p_ceilings      bigint[],
  p_raises        integer[],
  p_windows       integer[],
  p_loans         bigint[],
  p_intents       text,
  p_free_limit    integer,
  p_quarantine_ms integer,
  p_release       text
) RETURNS TABLE (
  ord integer, kind text, epoch bigint, incarnation text, won boolean, base bigint, ceiling bigint,
  floor_count bigint, window_end bigint, max_reserved integer, reserved integer, paused boolean,
  free bigint[], tainted boolean[], more boolean, loan bigint, loan_seen bigint
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  q record;
  v_state :schema.submitter_nonce_state%ROWTYPE;
  v_limits record;
BEGIN
  FOR q IN
    SELECT r.ord::integer, r.submitter, r.inc, r.epoch, r.ceiling, r.raise, r.default_window, r.loan
    FROM unnest(p_submitters, p_incarnations, p_epochs, p_ceilings, p_raises, p_windows, p_loans)
      WITH ORDINALITY AS r (submitter, inc, epoch, ceiling, raise, default_window, loan, ord)
    ORDER BY r.submitter COLLATE "C"
  LOOP
    ord := q.ord;
    SELECT * INTO v_state FROM :schema.submitter_nonce_state s
    WHERE s.submitter = q.submitter FOR UPDATE;
    IF NOT FOUND THEN
      kind := 'absent';
      RETURN NEXT;
      CONTINUE;
    END IF;
    IF v_state.engine <> 'performance' OR v_state.epoch <> q.epoch
      OR v_state.incarnation IS DISTINCT FROM q.inc THEN
      kind := 'stale';
      RETURN NEXT;
      CONTINUE;
    END IF;
    IF q.raise > 0 AND NOT :schema.may_enter_fast(q.submitter, NULL) THEN
      kind := 'mode';
      RETURN NEXT;
      CONTINUE;
    END IF;
    SELECT f.nonces, f.tainted, f.more, f.loan, f.loan_seen
    INTO free, tainted, more, loan, loan_seen
    FROM :schema.load_free(q.submitter, p_free_limit, q.default_window, p_quarantine_ms, p_release,
      q.loan) f;
    SELECT * INTO v_limits FROM :schema.fast_limits(q.submitter, q.default_window, p_intents);
    -- Free nonces come first: as long as more of them wait, no fresh one is needed.
    IF v_state.ceiling = q.ceiling AND q.raise > 0 AND NOT more THEN
      UPDATE :schema.submitter_nonce_state s
      SET ceiling = :schema.raised_ceiling(greatest(s.ceiling, v_limits.floor_count), q.raise,
            v_limits.window_end, v_limits.max_reserved)
      WHERE s.submitter = q.submitter;
      SELECT * INTO v_state FROM :schema.submitter_nonce_state s WHERE s.submitter = q.submitter;
    END IF;
    kind := 'epoch';
    epoch := v_state.epoch;
    incarnation := v_state.incarnation;
    won := false;
    base := v_state.base;
    ceiling := v_state.ceiling;
    floor_count := v_limits.floor_count;
    window_end := v_limits.window_end;
    max_reserved := v_limits.max_reserved;
    reserved := v_limits.reserved;
    paused := v_limits.paused;
    RETURN NEXT;
  END LOOP;
END $$;
