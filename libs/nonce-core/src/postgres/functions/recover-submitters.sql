-- What is done with submitters whose grants the database may have forgotten.

-- Takes submitters out of the hands of whoever held their nonces before the database forgot.
--
-- Guarantee: the new epoch lies above every witnessed one; nothing below the witnessed ceiling is
-- issued as fresh; every nonce short of INTENT is quarantined under a token and a grant that nobody
-- has, so that each late holder is fenced; no operation is bound anew by it. Idempotent: a submitter
-- is entered while it is behind its witness, or once per `p_lost_at`; a cut-off call is continued.
-- Fast stores may be marked with modes that were forgotten too: the mode goes on above all of them.
-- Locks state rows in key order, then their allocation rows in key order.
-- Replies one row per submitter that is in recovery; those without a state row are left out.
CREATE OR REPLACE FUNCTION :schema.recover_submitters(
  p_started       text,
  p_submitters    text[],
  p_epochs        bigint[],
  p_ceilings      bigint[],
  p_lost_at       text,
  p_reason        text,
  p_quarantine_ms integer,
  p_release       text,
  p_limit         integer
) RETURNS TABLE (submitter text, entered boolean, epoch bigint, ceiling bigint, finished boolean)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  q record;
  v_state :schema.submitter_nonce_state%ROWTYPE;
  v_to bigint;
  v_forgot boolean := p_lost_at IS NOT NULL;
BEGIN
  PERFORM :schema.same_server(p_started);
  FOR q IN
    SELECT r.submitter, max(r.epoch) AS epoch, max(r.ceiling) AS ceiling
    FROM unnest(p_submitters, p_epochs, p_ceilings) AS r (submitter, epoch, ceiling)
    GROUP BY r.submitter
    ORDER BY r.submitter COLLATE "C"
  LOOP
    SELECT * INTO v_state FROM :schema.submitter_nonce_state s
    WHERE s.submitter = q.submitter FOR UPDATE;
    IF NOT FOUND THEN
      CONTINUE;
    END IF;
    entered := v_state.epoch < q.epoch OR v_state.ceiling < q.ceiling
      OR (p_lost_at IS NOT NULL
        AND coalesce(v_state.recovery_server, '0')::bigint < p_lost_at::bigint);
    IF entered THEN
      v_forgot := true;
      PERFORM :schema.enter_recovery(q.submitter, q.epoch, q.ceiling, coalesce(p_lost_at, p_started),
        p_reason, p_quarantine_ms, p_release);
      SELECT * INTO v_state FROM :schema.submitter_nonce_state s WHERE s.submitter = q.submitter;
    END IF;
    IF v_state.recovery_cursor IS NOT NULL THEN
      v_to := least(v_state.ceiling, v_state.recovery_cursor + p_limit);
      PERFORM :schema.quarantine_missing(q.submitter, v_state.recovery_cursor, v_to,
        p_quarantine_ms, p_release);
      UPDATE :schema.submitter_nonce_state s
      SET recovery_cursor = nullif(v_to, s.ceiling)
      WHERE s.submitter = q.submitter
      RETURNING * INTO v_state;
    END IF;
    IF v_state.recovery_since IS NOT NULL THEN
      submitter := q.submitter;
      epoch := v_state.epoch;
      ceiling := v_state.ceiling;
      finished := v_state.recovery_cursor IS NULL;
      RETURN NEXT;
    END IF;
  END LOOP;
  -- The second in which the run began: no installation has switched as often as seconds have passed,
  -- so that it is above every epoch of a mode, and above that of an earlier loss.
  UPDATE :schema.engine_mode m SET epoch = coalesce(p_lost_at, p_started)::bigint / 1000000
  WHERE v_forgot AND m.epoch < coalesce(p_lost_at, p_started)::bigint / 1000000;
END $$;

-- The epoch of a recovery, and the rows that are short of INTENT. The caller holds the state's lock.
CREATE OR REPLACE FUNCTION :schema.enter_recovery(
  p_submitter     text,
  p_epoch         bigint,
  p_ceiling       bigint,
  p_server        text,
  p_reason        text,
  p_quarantine_ms integer,
  p_release       text
) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
  v_old :schema.submitter_nonce_state%ROWTYPE;
  v_epoch bigint;
  v_ceiling bigint;
  v_from bigint;
BEGIN
  SELECT * INTO v_old FROM :schema.submitter_nonce_state s WHERE s.submitter = p_submitter;
  v_epoch := greatest(v_old.epoch, p_epoch) + 1;
  v_ceiling := greatest(v_old.ceiling, p_ceiling);
  -- Nonces without a row lie in ranges of fast engines; the reliable engine writes each it issues.
  v_from := greatest(v_old.chain_latest_count, CASE
    WHEN v_old.walk_cursor < v_old.walk_end THEN least(v_old.walk_cursor, v_old.base)
    WHEN v_old.engine = 'reliable' THEN v_old.next_local_nonce
    ELSE v_old.base END);

  INSERT INTO :schema.allocation_grant (
    id, submitter, chain_generation, nonce, generation, source, ended_stage, operation_id, hashes,
    inherited_hashes, note, granted_at, ended_at)
  SELECT a.id, a.submitter, a.chain_generation, a.nonce, a.generation, a.source, 'QUARANTINED',
    a.operation_id, a.hashes, a.inherited_hashes, a.note, a.created_at, v_now
  FROM :schema.submitter_nonce_allocation a
  WHERE a.submitter = p_submitter AND a.chain_generation = v_old.chain_generation
    AND a.stage IN ('GRANTED', 'REUSABLE', 'QUARANTINED') AND a.generation > 0
  ON CONFLICT (id) DO NOTHING;

  WITH unsure AS MATERIALIZED (
    SELECT a.nonce FROM :schema.submitter_nonce_allocation a
    WHERE a.submitter = p_submitter AND a.chain_generation = v_old.chain_generation
      AND a.stage IN ('GRANTED', 'REUSABLE', 'QUARANTINED')
    ORDER BY a.nonce
    FOR UPDATE
  )
  UPDATE :schema.submitter_nonce_allocation a
  SET id = gen_random_uuid(),
      stage = 'QUARANTINED',
      exposure = 'assumed',
      generation = 1,
      epoch = v_epoch,
      rank = 0,
      loaded_epoch = NULL,
      operation_id = NULL,
      tx_hash = NULL,
      inherited_hashes = coalesce(cardinality(a.hashes), 0),
      shared = true,
      note = left(p_reason, 500),
      metadata = NULL,
      deadline = NULL,
      due_at = v_now + p_quarantine_ms / 2 * interval '1 ms',
      release_at = CASE WHEN p_release = 'replacement'
        THEN v_now + p_quarantine_ms * interval '1 ms' END,
      stuck_since = NULL,
      updated_at = v_now
  FROM unsure u
  WHERE a.submitter = p_submitter AND a.chain_generation = v_old.chain_generation
    AND a.nonce = u.nonce;

  UPDATE :schema.epoch_log l SET ceiling = v_old.ceiling, closed_at = v_now
  WHERE l.submitter = p_submitter AND l.epoch = v_old.epoch;
  INSERT INTO :schema.epoch_log (submitter, epoch, engine, base, intents, reason)
  VALUES (p_submitter, v_epoch, v_old.engine, v_ceiling, 'strict', left(p_reason, 500));
  -- No incarnation, so that no fast store is joined in this epoch; nothing is left to the walk.
  UPDATE :schema.submitter_nonce_state s
  SET epoch = v_epoch,
      incarnation = NULL,
      base = v_ceiling,
      next_local_nonce = v_ceiling,
      ceiling = v_ceiling,
      walk_cursor = greatest(s.walk_cursor, v_ceiling),
      walk_end = greatest(s.walk_end, v_ceiling),
      recovery_since = coalesce(s.recovery_since, v_now),
      recovery_reason = p_reason,
      recovery_epoch = v_epoch,
      recovery_cursor = nullif(least(v_from, coalesce(s.recovery_cursor, v_from), v_ceiling), v_ceiling),
      recovery_server = p_server,
      updated_at = v_now
  WHERE s.submitter = p_submitter;
END $$;

-- Quarantines the nonces of a part of a range that have no row.
CREATE OR REPLACE FUNCTION :schema.quarantine_missing(
  p_submitter     text,
  p_from          bigint,
  p_to            bigint,
  p_quarantine_ms integer,
  p_release       text
) RETURNS void LANGUAGE sql AS $$
  INSERT INTO :schema.submitter_nonce_allocation (
    submitter, chain_generation, nonce, id, stage, source, exposure, engine, generation, epoch,
    shared, note, due_at, release_at, created_at, updated_at)
  SELECT s.submitter, s.chain_generation, n, gen_random_uuid(), 'QUARANTINED', 'fresh', 'assumed',
    s.engine, 1, s.recovery_epoch, true, left(s.recovery_reason, 500),
    t.now + p_quarantine_ms / 2 * interval '1 ms',
    CASE WHEN p_release = 'replacement' THEN t.now + p_quarantine_ms * interval '1 ms' END,
    t.now, t.now
  FROM :schema.submitter_nonce_state s
  CROSS JOIN (SELECT clock_timestamp() AS now) t
  CROSS JOIN generate_series(p_from, p_to - 1) AS n
  WHERE s.submitter = p_submitter
  ON CONFLICT (submitter, chain_generation, nonce) DO NOTHING
$$;
