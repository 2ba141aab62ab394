-- Which engine is entitled to issue, and how that changes.

-- What the mode says about one submitter: `epoch` null = no mode was ever set. DRAIN and DEGRADED
-- take also those from their fast store that are pinned to it. The twin of engineOf in the program.
CREATE OR REPLACE FUNCTION :schema.mode_of(
  p_submitter text,
  OUT epoch   bigint,
  OUT is_fast boolean
) LANGUAGE sql STABLE
SET enable_seqscan = off
AS $$
  SELECT m.epoch,
    m.mode NOT IN ('DRAIN', 'DEGRADED') AND coalesce((
      SELECT s.pinned_mode FROM :schema.submitter_nonce_state s
      WHERE s.submitter = p_submitter), m.mode) = 'PERFORMANCE'
  FROM :schema.engine_mode m
$$;

-- Whether a fast epoch may be entered or raised by somebody who knows the mode of that epoch; null
-- leaves the epoch out. It is read without a lock, because a switch must wait for nobody: whoever
-- overlaps with one enters an epoch that its shard's mark refuses, and that is left at first touch.
CREATE OR REPLACE FUNCTION :schema.may_enter_fast(p_submitter text, p_mode_epoch bigint)
RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (SELECT m.is_fast AND m.epoch = coalesce(p_mode_epoch, m.epoch)
     FROM :schema.mode_of(p_submitter) m WHERE m.epoch IS NOT NULL),
    p_mode_epoch IS NULL)
$$;

-- All that nodes ask several times a second, by one call that reads the mode's row, the running
-- switch and one entry of the index of fast epochs; and the pins of submitters, unless the asker has
-- those of this version (then null): a thousand of them cost eight times as much as all the rest.
CREATE OR REPLACE FUNCTION :schema.mode_snapshot(p_max_pins integer, p_known_pins uuid)
RETURNS TABLE (
  mode text, epoch bigint, since_ms double precision, age_ms double precision, actor text,
  reason text, pinned boolean, return_to text, dwell_ms integer, prefetch_size integer, prefetch_low_water integer,
  prefetch_max integer, running_switch bigint, pins_version uuid, pins json,
  fast_epochs boolean
) LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
BEGIN
  RETURN QUERY
  SELECT m.mode, m.epoch, extract(epoch FROM m.since)::double precision * 1000,
    extract(epoch FROM clock_timestamp() - m.since)::double precision * 1000, m.actor, m.reason,
    m.pinned, m.return_to, m.dwell_ms, m.prefetch_size, m.prefetch_low_water, m.prefetch_max,
    (SELECT w.id FROM :schema.mode_switch w WHERE w.state = 'running'),
    m.pins_version,
    CASE WHEN m.pins_version IS DISTINCT FROM p_known_pins THEN (
      SELECT coalesce(json_object_agg(p.submitter, p.pinned_mode), '{}') FROM (
        SELECT s.submitter, s.pinned_mode FROM :schema.submitter_nonce_state s
        WHERE s.pinned_mode IS NOT NULL
        ORDER BY s.submitter LIMIT p_max_pins) p) END,
    EXISTS (
      SELECT 1 FROM :schema.submitter_nonce_state s
      WHERE s.engine = 'performance' AND s.incarnation IS NOT NULL)
  FROM :schema.engine_mode m;
END $$;

-- A switch of the mode: one winner per epoch seen. A switch that still runs ends as aborted. Replies
-- the new switch, or no row when another one was faster.
CREATE OR REPLACE FUNCTION :schema.switch_mode(
  p_seen_epoch bigint,
  p_to         text,
  p_actor      text,
  p_reason     text,
  p_automatic  boolean,
  p_pinned     boolean,
  p_return_to  text,
  p_dwell_ms   integer,
  p_runner     text,
  p_phases     jsonb
) RETURNS SETOF :schema.mode_switch LANGUAGE plpgsql AS $$
DECLARE
  v_old :schema.engine_mode%ROWTYPE;
  v_switch :schema.mode_switch%ROWTYPE;
  v_now timestamptz;
BEGIN
  SELECT * INTO v_old FROM :schema.engine_mode m FOR UPDATE;
  IF NOT FOUND OR v_old.epoch <> p_seen_epoch THEN
    RETURN;
  END IF;
  v_now := clock_timestamp();
  UPDATE :schema.engine_mode m
  SET mode = p_to, epoch = v_old.epoch + 1, since = v_now, actor = p_actor, reason = p_reason,
      pinned = p_pinned, return_to = p_return_to, dwell_ms = p_dwell_ms;
  UPDATE :schema.mode_switch w SET state = 'aborted', ended_at = v_now, waits_for = NULL
  WHERE w.state = 'running';
  INSERT INTO :schema.mode_switch AS w (
    from_mode, to_mode, epoch, actor, reason, automatic, runner, heartbeat_at, started_at, phases)
  VALUES (v_old.mode, p_to, v_old.epoch + 1, p_actor, p_reason, p_automatic, p_runner, v_now, v_now,
    p_phases)
  RETURNING * INTO v_switch;
  INSERT INTO :schema.audit (at, actor, action, subject, reason, detail)
  VALUES (v_now, p_actor, 'mode.switch', p_to, p_reason, jsonb_build_object('switch', v_switch.id,
    'from', v_old.mode, 'to', p_to, 'epoch', v_switch.epoch, 'automatic', p_automatic,
    'pinned', p_pinned));
  RETURN NEXT v_switch;
END $$;

-- Lets one submitter follow another mode, or with null the common one again. Replies `done`,
-- `absent`, or `full` when as many as `p_max_pins` are pinned: every node reads all of them.
CREATE OR REPLACE FUNCTION :schema.pin_submitter(
  p_submitter text,
  p_mode      text,
  p_actor     text,
  p_max_pins  integer
) RETURNS text LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  v_before text;
BEGIN
  SELECT s.pinned_mode INTO v_before FROM :schema.submitter_nonce_state s
  WHERE s.submitter = p_submitter FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 'absent';
  END IF;
  IF p_mode IS NOT NULL AND v_before IS NULL AND p_max_pins <= (
    SELECT count(*) FROM :schema.submitter_nonce_state s WHERE s.pinned_mode IS NOT NULL) THEN
    RETURN 'full';
  END IF;
  UPDATE :schema.submitter_nonce_state s
  SET pinned_mode = p_mode, updated_at = clock_timestamp()
  WHERE s.submitter = p_submitter;
  UPDATE :schema.engine_mode m SET pins_version = gen_random_uuid();
  INSERT INTO :schema.audit (actor, action, subject, reason, detail)
  VALUES (p_actor, 'mode.pin', p_submitter, coalesce('pinned to ' || p_mode, 'follows the mode'),
    jsonb_build_object('from', v_before, 'to', p_mode));
  RETURN 'done';
END $$;

-- Grants of fast epochs that nobody has settled, as far as their events have come; at most `p_most`.
CREATE OR REPLACE FUNCTION :schema.count_fast_grants(p_most integer) RETURNS bigint
LANGUAGE sql STABLE
SET enable_seqscan = off
AS $$
  SELECT count(*) FROM (
    SELECT 1 FROM :schema.submitter_nonce_allocation a
    WHERE a.stage = 'GRANTED' AND a.engine = 'performance'
    LIMIT p_most) held
$$;

-- Fast epochs that rule; at most `p_most`.
CREATE OR REPLACE FUNCTION :schema.count_fast_epochs(p_most integer) RETURNS bigint
LANGUAGE sql STABLE
SET enable_seqscan = off
AS $$
  SELECT count(*) FROM (
    SELECT 1 FROM :schema.submitter_nonce_state s
    WHERE s.engine = 'performance' AND s.incarnation IS NOT NULL
    LIMIT p_most) ruling
$$;
