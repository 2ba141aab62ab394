-- Starts a new chain generation of a submitter whose chain was reset.
--
-- Guarantee: only while the chain's genesis differs from the remembered one, and never beside a fast
-- epoch that rules, whose store would go on with nonces of the old chain. Nonces start at the count
-- of the new chain; what its pool holds starts in quarantine. Rows of the old generation stay, and
-- their holders are fenced; an operation that was never exposed gets a nonce again, one that may have
-- been sent keeps its answer. The ceiling stays, because witnesses know it: what lies between the
-- counter and it is issued like any other fresh nonce.
-- Replies one row, or none for a submitter without a state: verdict `rebaselined` | `possible` (dry
-- run) | `unchanged` | `fast`; the generation and epoch after it, the first nonce, and how many rows
-- of the old generation are still open (`kept`: may have been sent; `ended`: never exposed).
CREATE OR REPLACE FUNCTION :schema.rebaseline_submitter(
  p_submitter     text,
  p_genesis       text,
  p_start         bigint,
  p_pending       bigint,
  p_latest        bigint,
  p_finalized     bigint,
  p_reason        text,
  p_dry_run       boolean,
  p_quarantine_ms integer,
  p_release       text
) RETURNS TABLE (
  verdict text, known_genesis text, generation integer, epoch bigint, next_nonce bigint,
  kept bigint, ended bigint
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_old :schema.submitter_nonce_state%ROWTYPE;
  v_now timestamptz;
  v_next bigint := greatest(p_start, p_pending);
  v_kept bigint;
  v_ended bigint;
BEGIN
  SELECT * INTO v_old FROM :schema.submitter_nonce_state s
  WHERE s.submitter = p_submitter FOR UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  v_now := clock_timestamp();
  SELECT count(*) FILTER (WHERE NOT o.clean), count(*) FILTER (WHERE o.clean) INTO v_kept, v_ended
  FROM (
    SELECT a.stage = 'REUSABLE' OR (a.stage = 'GRANTED' AND a.exposure = 'declared'
      AND a.source <> 'replacement' AND NOT a.shared) AS clean
    FROM :schema.submitter_nonce_allocation a
    WHERE a.submitter = p_submitter AND a.chain_generation = v_old.chain_generation
      AND a.stage NOT IN ('FINAL', 'BURNT', 'CONSUMED_EXTERNAL')) o;
  IF v_old.genesis_hash IS NULL OR v_old.genesis_hash = p_genesis
    OR v_old.engine <> 'reliable' OR p_dry_run THEN
    RETURN QUERY SELECT CASE
        WHEN v_old.genesis_hash IS NULL OR v_old.genesis_hash = p_genesis THEN 'unchanged'
        WHEN v_old.engine <> 'reliable' THEN 'fast'
        ELSE 'possible' END,
      v_old.genesis_hash, v_old.chain_generation + 1, v_old.epoch + 1, v_next, v_kept, v_ended;
    RETURN;
  END IF;

  UPDATE :schema.submitter_nonce_allocation a
  SET stage = CASE
        WHEN a.stage = 'REUSABLE' OR (a.stage = 'GRANTED' AND a.exposure = 'declared'
          AND a.source <> 'replacement' AND NOT a.shared) THEN 'CONSUMED_EXTERNAL'
        WHEN a.stage = 'GRANTED' THEN 'QUARANTINED'
        ELSE a.stage::text END:::schema.allocation_stage,
      superseded = true,
      loaded_epoch = NULL,
      deadline = NULL,
      due_at = NULL,
      release_at = NULL,
      stuck_since = NULL,
      note = CASE WHEN a.stage IN ('REUSABLE', 'GRANTED') THEN 'the chain was reset' ELSE a.note END,
      updated_at = v_now
  FROM (
    SELECT k.nonce FROM :schema.submitter_nonce_allocation k
    WHERE k.submitter = p_submitter AND k.chain_generation = v_old.chain_generation
    ORDER BY k.nonce FOR UPDATE) l
  WHERE a.submitter = p_submitter AND a.chain_generation = v_old.chain_generation
    AND a.nonce = l.nonce;

  UPDATE :schema.epoch_log l SET ceiling = v_old.ceiling, closed_at = v_now
  WHERE l.submitter = p_submitter AND l.epoch = v_old.epoch;
  INSERT INTO :schema.epoch_log (submitter, epoch, engine, base, intents, reason)
  VALUES (p_submitter, v_old.epoch + 1, 'reliable', p_start, 'strict',
    left('re-baselined: ' || p_reason, 500));
  UPDATE :schema.submitter_nonce_state s
  SET epoch = v_old.epoch + 1,
      chain_generation = v_old.chain_generation + 1,
      generation_epoch = v_old.epoch + 1,
      genesis_hash = p_genesis,
      incarnation = NULL,
      base = p_start,
      next_local_nonce = v_next,
      ceiling = greatest(v_old.ceiling, v_next),
      walk_cursor = 0,
      walk_end = 0,
      chain_latest_count = p_latest,
      chain_finalized_count = p_finalized,
      reset_seen_at = NULL,
      reset_genesis = NULL,
      paused_at = CASE WHEN s.paused_reason LIKE 'chain reset:%' THEN NULL ELSE s.paused_at END,
      paused_reason = CASE WHEN s.paused_reason LIKE 'chain reset:%' THEN NULL
        ELSE s.paused_reason END,
      recovery_since = NULL,
      recovery_reason = NULL,
      recovery_cursor = NULL,
      aligned_at = v_now,
      updated_at = v_now
  WHERE s.submitter = p_submitter;
  DELETE FROM :schema.floor_raise r WHERE r.submitter = p_submitter;
  INSERT INTO :schema.submitter_nonce_allocation (
    submitter, chain_generation, nonce, id, stage, source, exposure, engine, generation, epoch,
    note, due_at, release_at, created_at, updated_at)
  SELECT p_submitter, v_old.chain_generation + 1, n, gen_random_uuid(), 'QUARANTINED', 'fresh',
    'assumed', 'reliable', 0, v_old.epoch + 1, 'in a pool before first use',
    v_now + p_quarantine_ms / 2 * interval '1 ms',
    CASE WHEN p_release = 'replacement' THEN v_now + p_quarantine_ms * interval '1 ms' END,
    v_now, v_now
  FROM generate_series(p_start, v_next - 1) AS n;
  RETURN QUERY SELECT 'rebaselined'::text, v_old.genesis_hash, v_old.chain_generation + 1,
    v_old.epoch + 1, v_next, v_kept, v_ended;
END $$;
