-- Moves the floors of one submitter to what the chain showed, and settles by count what may be
-- settled by count. The only writer of floors; everything happens under the lock of the state row.
--
-- Guarantee: a lower count changes nothing; the finalized floor never falls and never passes the
-- latest one; a row with a recorded hash is never settled here.
-- Beside a fast epoch that rules: reports about its grants may still be queued, so they are not
-- judged by the count; and only what lies beyond its ceiling is foreign.
-- Replies one row, or none for a submitter that has no state:
-- `p_block_*` name the block at which the latest count was read: the raise of the floor is remembered
-- with it, so that a proven reorg of that block can take it back (lower_floor). `p_deep` is the height
-- below which no block is undone. `p_delegated` null = it was not asked whether the account delegates.
--   verdict     aligned | reset (another genesis: nothing moved, the submitter issues no more)
--   foreign_use fresh nonces skipped because somebody else used the account
--   fenced      unsent holders at finally consumed nonces
--   finalized   assertions that became FINAL by count
--   stuck       rows that may have been sent without a hash and now need a decision
--   lowered     by how much the observed count was below the known one
DROP FUNCTION IF EXISTS :schema.align_submitter(text, bigint, bigint, text, integer);
CREATE OR REPLACE FUNCTION :schema.align_submitter(
  p_submitter text,
  p_latest    bigint,
  p_finalized bigint,
  p_genesis   text,
  p_limit     integer,
  p_block_number bigint DEFAULT NULL,
  p_block_hash   text DEFAULT NULL,
  p_deep         bigint DEFAULT NULL,
  p_delegated    boolean DEFAULT NULL
) RETURNS TABLE (
  verdict text, known_genesis text, chain_latest bigint, last_chain_nonce bigint,
  foreign_use bigint, fenced bigint, finalized bigint, stuck bigint, lowered bigint
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_state :schema.submitter_nonce_state%ROWTYPE;
  v_now timestamptz;
  v_latest bigint;
  v_final bigint;
  v_nonces bigint[];
  v_verdicts text[];
  v_fenced bigint;
  v_finalized bigint;
  v_stuck bigint;
BEGIN
  SELECT * INTO v_state FROM :schema.submitter_nonce_state s
  WHERE s.submitter = p_submitter FOR UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  v_now := clock_timestamp();

  IF v_state.genesis_hash <> p_genesis THEN
    UPDATE :schema.submitter_nonce_state s
    SET paused_at = coalesce(s.paused_at, v_now),
        paused_reason = CASE WHEN s.paused_at IS NULL THEN 'chain reset: another genesis block'
          ELSE s.paused_reason END,
        reset_seen_at = coalesce(s.reset_seen_at, v_now),
        reset_genesis = p_genesis,
        aligned_at = v_now,
        updated_at = v_now
    WHERE s.submitter = p_submitter;
    RETURN QUERY SELECT 'reset'::text, v_state.genesis_hash, v_state.chain_latest_count,
      v_state.last_chain_nonce, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint;
    RETURN;
  END IF;

  v_latest := greatest(v_state.chain_latest_count, p_latest);
  v_final := greatest(v_state.chain_finalized_count, p_finalized);
  -- least() would take an unknown count for the latest one.
  IF v_final > v_latest THEN
    v_final := v_latest;
  END IF;
  UPDATE :schema.submitter_nonce_state s
  SET genesis_hash = p_genesis,
      chain_latest_count = v_latest,
      chain_finalized_count = v_final,
      next_local_nonce = greatest(s.next_local_nonce, v_latest),
      ceiling = greatest(s.ceiling, v_latest),
      paused_at = CASE WHEN s.paused_reason LIKE 'chain reset:%' THEN NULL ELSE s.paused_at END,
      paused_reason = CASE WHEN s.paused_reason LIKE 'chain reset:%' THEN NULL
        ELSE s.paused_reason END,
      reset_seen_at = NULL,
      reset_genesis = NULL,
      delegated_at = CASE WHEN p_delegated THEN coalesce(s.delegated_at, v_now)
        WHEN p_delegated IS NULL THEN s.delegated_at END,
      aligned_at = v_now,
      updated_at = v_now
  WHERE s.submitter = p_submitter;
  IF p_block_number IS NOT NULL AND v_latest > v_state.chain_latest_count THEN
    DELETE FROM :schema.floor_raise r
    WHERE r.submitter = p_submitter AND (r.chain_generation <> v_state.chain_generation
      OR r.block_number <= p_deep OR r.count <= v_final
      OR r.count <= (
        SELECT o.count FROM :schema.floor_raise o
        WHERE o.submitter = p_submitter AND o.chain_generation = v_state.chain_generation
        ORDER BY o.count DESC OFFSET 62 LIMIT 1));
    INSERT INTO :schema.floor_raise (
      submitter, chain_generation, count, previous_count, block_number, block_hash, seen_at)
    VALUES (p_submitter, v_state.chain_generation, v_latest, v_state.chain_latest_count,
      p_block_number, p_block_hash, v_now)
    ON CONFLICT (submitter, chain_generation, count) DO NOTHING;
  END IF;

  WITH candidate AS MATERIALIZED (
    (SELECT a.nonce FROM :schema.submitter_nonce_allocation a
     WHERE a.submitter = p_submitter AND a.chain_generation = v_state.chain_generation
       AND a.stage = 'ASSERTED' AND a.nonce < v_final
       AND (a.hashes IS NULL OR a.due_at IS NULL)
     LIMIT p_limit)
    UNION ALL
    (SELECT a.nonce FROM :schema.submitter_nonce_allocation a
     WHERE a.submitter = p_submitter AND a.chain_generation = v_state.chain_generation
       AND a.stage IN ('REUSABLE', 'QUARANTINED') AND a.nonce < v_final
       AND a.hashes IS NULL AND a.stuck_since IS NULL
     LIMIT p_limit)
    UNION ALL
    (SELECT a.nonce FROM :schema.submitter_nonce_allocation a
     WHERE a.submitter = p_submitter AND a.chain_generation = v_state.chain_generation
       AND a.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
       AND a.stage = 'GRANTED' AND a.nonce < v_final
       AND a.hashes IS NULL AND a.stuck_since IS NULL
       AND NOT (a.engine = 'performance' AND v_state.engine = 'performance'
         AND a.epoch = v_state.epoch)
     LIMIT p_limit)
  )
  SELECT array_agg(c.nonce), array_agg(l.verdict) INTO v_nonces, v_verdicts
  -- One by one, and updated by the place at which they were locked: see record_grants.
  FROM (SELECT DISTINCT candidate.nonce FROM candidate ORDER BY candidate.nonce) c
  CROSS JOIN LATERAL (
    SELECT
      CASE
        -- With a hash only a receipt decides: the tracker is asked to look.
        WHEN a.hashes IS NOT NULL THEN CASE WHEN a.stage = 'ASSERTED' THEN 'look' END
        WHEN a.stage = 'ASSERTED' THEN 'final'
        -- Never exposed: a declared holder writes an intent first, and generation 0 had no holder.
        WHEN a.stage = 'REUSABLE' OR (a.stage = 'QUARANTINED' AND a.generation = 0) THEN 'consumed'
        WHEN a.stage = 'GRANTED' AND a.exposure = 'declared' AND a.source <> 'replacement'
          THEN 'fenced'
        WHEN a.stage IN ('GRANTED', 'QUARANTINED') THEN 'stuck'
      END AS verdict
    FROM :schema.submitter_nonce_allocation a
    WHERE a.submitter = p_submitter AND a.chain_generation = v_state.chain_generation
      AND a.nonce = c.nonce
    LIMIT 1
    FOR UPDATE) l
  WHERE l.verdict IS NOT NULL;

  WITH moved AS (
    UPDATE :schema.submitter_nonce_allocation a
    SET stage = CASE l.verdict
          WHEN 'final' THEN 'FINAL'
          WHEN 'consumed' THEN 'CONSUMED_EXTERNAL'
          WHEN 'fenced' THEN 'CONSUMED_EXTERNAL'
          ELSE a.stage::text END:::schema.allocation_stage,
        proof = CASE WHEN l.verdict IN ('final', 'consumed', 'fenced') THEN 'count' ELSE a.proof END,
        deadline = CASE WHEN l.verdict = 'stuck' THEN a.deadline END,
        release_at = NULL,
        due_at = CASE WHEN l.verdict = 'look' THEN v_now END,
        stuck_since = CASE WHEN l.verdict = 'stuck' THEN v_now END,
        note = CASE l.verdict
          WHEN 'fenced' THEN 'nonce was used by another transaction'
          WHEN 'stuck' THEN 'nonce is used on the chain, by whom is not known'
          ELSE a.note END,
        updated_at = v_now
    FROM unnest(v_nonces, v_verdicts) AS l (nonce, verdict)
    CROSS JOIN LATERAL (
      SELECT k.ctid FROM :schema.submitter_nonce_allocation k
      WHERE k.submitter = p_submitter AND k.chain_generation = v_state.chain_generation
        AND k.nonce = l.nonce
      LIMIT 1) place
    WHERE a.ctid = place.ctid
    RETURNING l.verdict
  )
  SELECT count(*) FILTER (WHERE m.verdict = 'fenced'), count(*) FILTER (WHERE m.verdict = 'final'),
    count(*) FILTER (WHERE m.verdict = 'stuck')
  INTO v_fenced, v_finalized, v_stuck FROM moved m;

  RETURN QUERY SELECT 'aligned'::text, p_genesis, v_latest, nullif(v_final, 0) - 1,
    greatest(0, v_latest - CASE WHEN v_state.engine = 'performance' THEN v_state.ceiling
      ELSE v_state.next_local_nonce END), v_fenced, v_finalized, v_stuck,
    greatest(0, coalesce(v_state.chain_latest_count, 0) - p_latest);
END $$;

-- What align_submitter would reply and do, done and undone: nothing stays, and nobody else sees it.
-- It takes the lock of the state row for as long as an alignment does.
CREATE OR REPLACE FUNCTION :schema.foresee_alignment(
  p_submitter text,
  p_latest    bigint,
  p_finalized bigint,
  p_genesis   text,
  p_limit     integer,
  p_block_number bigint,
  p_block_hash   text,
  p_deep         bigint,
  p_delegated    boolean
) RETURNS TABLE (
  verdict text, known_genesis text, chain_latest bigint, last_chain_nonce bigint,
  foreign_use bigint, fenced bigint, finalized bigint, stuck bigint, lowered bigint
) LANGUAGE plpgsql
AS $$
DECLARE
  v_report record;
BEGIN
  BEGIN
    SELECT * INTO v_report FROM :schema.align_submitter(p_submitter, p_latest, p_finalized, p_genesis,
      p_limit, p_block_number, p_block_hash, p_deep, p_delegated);
    -- Ends the inner block, and with it all that was written there; variables keep their values.
    RAISE EXCEPTION USING ERRCODE = 'NK002';
  EXCEPTION WHEN SQLSTATE 'NK002' THEN
    NULL;
  END;
  IF v_report.verdict IS NOT NULL THEN
    RETURN QUERY SELECT v_report.verdict, v_report.known_genesis, v_report.chain_latest,
      v_report.last_chain_nonce, v_report.foreign_use, v_report.fenced, v_report.finalized,
      v_report.stuck, v_report.lowered;
  END IF;
END $$;
