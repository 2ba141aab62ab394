-- Work of the tracker, found by scanning rows: losing every timer and process loses nothing.

-- Settles reservations past their deadline. Submitters that another statement has locked are left
-- for the next sweep; nothing here waits for a lock.
CREATE OR REPLACE FUNCTION :schema.reclaim_expired(p_limit integer, p_quarantine_ms integer, p_release text)
RETURNS TABLE (id uuid) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_due text[];
BEGIN
  SELECT array_agg(d.submitter ORDER BY d.submitter) INTO v_due FROM (
    SELECT s.submitter FROM :schema.submitter_nonce_state s
    WHERE s.reclaim_at < 'infinity' AND s.reclaim_at <= clock_timestamp()
    ORDER BY s.reclaim_at LIMIT p_limit
    FOR UPDATE SKIP LOCKED) d;
  IF v_due IS NULL THEN
    RETURN;
  END IF;
  RETURN QUERY SELECT r FROM :schema.reclaim_of(
    v_due, clock_timestamp(), p_quarantine_ms, p_release,
    greatest(1, p_limit / cardinality(v_due))) AS r;
END $$;

-- Applies what was learned about nonces, each while its row still is as it was claimed: same stage,
-- and no hash recorded since. Locks the rows in key order. Replies the ids of the rows written; what
-- moved, or needs a decision, is told in the same commit (tracked_transition).
CREATE OR REPLACE FUNCTION :schema.apply_tracking(
  p_ids           uuid[],
  p_from          text[],
  p_to            text[],
  p_hashes_seen   integer[],
  p_hashes        text[],
  p_block_numbers bigint[],
  p_block_hashes  text[],
  p_proofs        text[],
  p_reasons       text[],
  p_next_ms       integer[],
  p_release_ms    integer[],
  p_stuck         boolean[]
) RETURNS TABLE (id uuid) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_now timestamptz;
BEGIN
  PERFORM 1 FROM :schema.submitter_nonce_allocation a
  WHERE a.id = ANY (p_ids)
  ORDER BY a.submitter, a.chain_generation, a.nonce
  FOR UPDATE;
  v_now := clock_timestamp();

  RETURN QUERY
  WITH written AS (
    UPDATE :schema.submitter_nonce_allocation a
    SET stage = v.following,
        tx_hash = coalesce(v.hash, a.tx_hash),
        block_number = CASE WHEN v.following IN ('MINED', 'CONFIRMED', 'FINAL', 'BURNT')
          THEN coalesce(v.block_number, a.block_number) END,
        block_hash = CASE WHEN v.following IN ('MINED', 'CONFIRMED', 'FINAL', 'BURNT')
          THEN coalesce(v.block_hash, a.block_hash) END,
        proof = CASE WHEN v.following IN ('FINAL', 'BURNT', 'CONSUMED_EXTERNAL') THEN v.proof END,
        -- One that was made due since it was claimed, by a block that tells more, stays due.
        due_at = CASE WHEN v.following NOT IN ('FINAL', 'BURNT', 'CONSUMED_EXTERNAL', 'REUSABLE')
          THEN CASE WHEN a.due_at <= v_now THEN v_now
            ELSE v_now + v.next_ms * interval '1 ms' END END,
        release_at = CASE
          WHEN v.following <> 'QUARANTINED' THEN NULL
          WHEN v.release_ms IS NOT NULL THEN v_now + v.release_ms * interval '1 ms'
          ELSE a.release_at END,
        stuck_since = CASE WHEN v.stuck THEN coalesce(a.stuck_since, v_now)
          WHEN v.stuck IS NULL AND a.stage = v.following THEN a.stuck_since END,
        note = CASE WHEN v.stuck OR a.stage <> v.following THEN left(v.reason, 500) ELSE a.note END,
        updated_at = v_now
    FROM (
      SELECT u.id, u.previous:::schema.allocation_stage AS previous,
        u.following:::schema.allocation_stage AS following, u.hashes_seen, u.hash, u.block_number,
        u.block_hash, u.proof, u.reason, u.next_ms, u.release_ms, u.stuck
      FROM unnest(p_ids, p_from, p_to, p_hashes_seen, p_hashes, p_block_numbers, p_block_hashes,
        p_proofs, p_reasons, p_next_ms, p_release_ms, p_stuck) AS u (id, previous, following,
        hashes_seen, hash, block_number, block_hash, proof, reason, next_ms, release_ms, stuck)) v
    WHERE a.id = v.id AND a.stage = v.previous
      AND (v.hashes_seen IS NULL OR v.hashes_seen = coalesce(cardinality(a.hashes), 0))
    RETURNING a.id, a.submitter, a.nonce, a.tx_hash, a.block_number,
      v.previous, v.following, v.reason, coalesce(v.stuck, false) AS stuck
  ), told AS (
    INSERT INTO :schema.tracked_transition (
      allocation_id, submitter, nonce, from_stage, to_stage, stuck, tx_hash, block_number, reason)
    SELECT w.id, w.submitter, w.nonce, w.previous, w.following, w.stuck, w.tx_hash, w.block_number,
      left(w.reason, 500)
    FROM written w WHERE w.stuck OR w.previous <> w.following
    ORDER BY w.submitter, w.nonce)
  SELECT w.id FROM written w;
END $$;
