-- The allocations of holders whose nonce was re-issued and whose own transaction is final all the
-- same: their operation is done, whoever holds the nonce now. Null when there is none.
-- Keys are those of the statements that read allocations.
CREATE OR REPLACE FUNCTION :schema.success_of_replaced(p_ids uuid[]) RETURNS jsonb
LANGUAGE sql STABLE
SET enable_seqscan = off
AS $$
  SELECT jsonb_agg(jsonb_build_object(
    'id', g.id, 'submitter', g.submitter, 'nonce', g.nonce::text, 'stage', 'FINAL',
    'source', g.source, 'exposure', a.exposure, 'engine', a.engine, 'epoch', a.epoch::text,
    'operation_id', g.operation_id, 'tx_hash', a.tx_hash,
    'hashes', array_to_string(g.hashes, ','), 'proof', a.proof, 'note', g.note,
    'deadline_ms', NULL,
    'created_ms', extract(epoch FROM g.granted_at)::double precision * 1000,
    'updated_ms', extract(epoch FROM a.updated_at)::double precision * 1000)
    ORDER BY g.nonce)
  FROM :schema.allocation_grant g
  CROSS JOIN LATERAL (
    SELECT * FROM :schema.submitter_nonce_allocation k
    WHERE k.submitter = g.submitter AND k.chain_generation = g.chain_generation
      AND k.nonce = g.nonce
    LIMIT 1) a
  WHERE g.id = ANY (p_ids) AND a.stage IN ('FINAL', 'CONSUMED_EXTERNAL') AND a.proof = 'receipt'
    AND a.tx_hash = ANY (g.hashes[g.inherited_hashes + 1:])
$$;

-- What an operation id is bound to: `new`, `replay` (answer with the rows of the bound nonces),
-- `settled` (answer with what was kept of them, or with the success of a replaced holder), `rebind` (its nonces were proven never sent, or are
-- final by another hash), `reused` (another request bears this id), `unknown` (its nonce was
-- re-issued as a replacement and the chain has not decided), or `contended` (a late report about one
-- of its nonces is just being written; it decides). With `rebind` the rows stay locked, so that a
-- late owner finds its operation bound elsewhere.
-- Called under the lock of the state row.
CREATE OR REPLACE FUNCTION :schema.resolve_operation(
  p_submitter    text,
  p_operation    text,
  p_request_hash text,
  p_count        integer,
  OUT verdict    text,
  OUT ids        uuid[],
  OUT settled    jsonb
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_binding :schema.operation%ROWTYPE;
  v_unsent integer;
BEGIN
  SELECT * INTO v_binding FROM :schema.operation o
  WHERE o.submitter = p_submitter AND o.operation_id = p_operation;
  IF NOT FOUND THEN
    verdict := 'new';
    RETURN;
  END IF;
  ids := v_binding.ids;
  IF v_binding.count <> p_count OR v_binding.request_hash <> p_request_hash THEN
    verdict := 'reused';
  ELSIF v_binding.settled @> '[{"stage": "FINAL"}]' THEN
    verdict := 'settled';
    settled := v_binding.settled;
  ELSIF v_binding.settled IS NOT NULL THEN
    verdict := 'rebind';
  ELSIF EXISTS (
    SELECT 1 FROM :schema.submitter_nonce_allocation a
    WHERE a.id = ANY (v_binding.ids)
      AND a.stage NOT IN ('REUSABLE', 'CONSUMED_EXTERNAL', 'BURNT')) THEN
    verdict := 'replay';
  ELSIF EXISTS (
    SELECT 1 FROM :schema.allocation_grant g
    CROSS JOIN LATERAL (
      SELECT k.stage, k.proof FROM :schema.submitter_nonce_allocation k
      WHERE k.submitter = g.submitter AND k.chain_generation = g.chain_generation
        AND k.nonce = g.nonce
      LIMIT 1) a
    WHERE g.id = ANY (v_binding.ids) AND g.ended_stage = 'QUARANTINED'
      AND NOT (a.stage IN ('FINAL', 'BURNT', 'CONSUMED_EXTERNAL') AND a.proof = 'receipt')) THEN
    verdict := 'unknown';
  ELSE
    settled := :schema.success_of_replaced(v_binding.ids);
    IF settled IS NOT NULL THEN
      verdict := 'settled';
      RETURN;
    END IF;
    SELECT count(*) INTO v_unsent FROM (
      SELECT 1 FROM :schema.submitter_nonce_allocation a
      WHERE a.id = ANY (v_binding.ids) AND a.stage IN ('REUSABLE', 'CONSUMED_EXTERNAL', 'BURNT')
      FOR UPDATE SKIP LOCKED) l;
    verdict := CASE WHEN v_unsent = (
      SELECT count(*) FROM :schema.submitter_nonce_allocation a WHERE a.id = ANY (v_binding.ids))
      THEN 'rebind' ELSE 'contended' END;
  END IF;
END $$;

-- Another call of an operation is answered with nonces that a handler may hold: from now on neither
-- run can say for both that nothing was sent, unless both declare what they send. Answers false,
-- for a later try, while a row is just being written. Stages are compared as text, so that no index
-- of stages is thought of: beside the ids it would be read from end to end.
CREATE OR REPLACE FUNCTION :schema.share_allocations(
  p_ids      uuid[],
  p_exposure :schema.allocation_exposure
) RETURNS boolean LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
BEGIN
  WITH held AS MATERIALIZED (
    SELECT a.id FROM :schema.submitter_nonce_allocation a
    WHERE a.id = ANY (p_ids) AND a.stage::text IN ('GRANTED', 'QUARANTINED')
      AND greatest(a.exposure, p_exposure) <> 'declared'
      AND (NOT a.shared OR a.exposure < p_exposure)
    FOR UPDATE SKIP LOCKED
  )
  UPDATE :schema.submitter_nonce_allocation a
  SET shared = true, exposure = greatest(a.exposure, p_exposure)
  WHERE a.id = ANY (ARRAY(SELECT held.id FROM held));
  RETURN NOT EXISTS (
    SELECT 1 FROM :schema.submitter_nonce_allocation a
    WHERE a.id = ANY (p_ids) AND a.stage::text IN ('GRANTED', 'QUARANTINED')
      AND greatest(a.exposure, p_exposure) <> 'declared'
      AND (NOT a.shared OR a.exposure < p_exposure));
END $$;

-- Keeps with an operation what its retries are answered with, so that the rows of its nonces may be
-- pruned: a retry must not run the work again because it comes late (H-3). Answers false, and keeps
-- nothing, while the chain has not decided over all of them; retention leaves such rows alone.
-- Keys are those of the statements that read allocations.
CREATE OR REPLACE FUNCTION :schema.settle_operation(p_submitter text, p_operation text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  v_binding :schema.operation%ROWTYPE;
  v_verdict text;
  v_success jsonb;
BEGIN
  PERFORM 1 FROM :schema.submitter_nonce_state s WHERE s.submitter = p_submitter FOR UPDATE;
  SELECT * INTO v_binding FROM :schema.operation o
  WHERE o.submitter = p_submitter AND o.operation_id = p_operation;
  IF NOT FOUND OR v_binding.settled IS NOT NULL THEN
    RETURN FOUND;
  END IF;
  SELECT r.verdict, r.settled INTO v_verdict, v_success FROM :schema.resolve_operation(
    p_submitter, p_operation, v_binding.request_hash, v_binding.count) r;
  IF v_verdict IN ('unknown', 'contended') OR EXISTS (
    SELECT 1 FROM :schema.submitter_nonce_allocation a
    WHERE a.id = ANY (v_binding.ids)
      AND a.stage NOT IN ('FINAL', 'BURNT', 'CONSUMED_EXTERNAL')) THEN
    RETURN false;
  END IF;
  UPDATE :schema.operation o
  SET settled = coalesce(v_success, (
    SELECT coalesce(jsonb_agg(jsonb_build_object(
      'id', a.id, 'submitter', a.submitter, 'nonce', a.nonce::text, 'stage', a.stage,
      'source', a.source, 'exposure', a.exposure, 'engine', a.engine, 'epoch', a.epoch::text,
      'operation_id', a.operation_id, 'tx_hash', a.tx_hash,
      'hashes', array_to_string(a.hashes, ','), 'proof', a.proof, 'note', a.note,
      'deadline_ms', NULL,
      'created_ms', extract(epoch FROM a.created_at)::double precision * 1000,
      'updated_ms', extract(epoch FROM a.updated_at)::double precision * 1000)
      ORDER BY a.nonce), '[]')
    FROM :schema.submitter_nonce_allocation a
    WHERE a.id = ANY (v_binding.ids)))
  WHERE o.submitter = p_submitter AND o.operation_id = p_operation;
  RETURN true;
END $$;
