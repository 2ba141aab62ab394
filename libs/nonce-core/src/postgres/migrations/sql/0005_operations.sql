-- What an operation id is bound to: `new`, `replay` (answer with the bound nonces), `rebind` (its
-- nonces were proven never sent, or are final by another hash), `reused` (another request bears
-- this id), or `unknown` (its nonce was re-issued as a replacement and the chain has not decided).
-- Called under the lock of the state row. Rows may be pruned only after `settled` is set.
CREATE FUNCTION :schema.resolve_operation(
  p_submitter    text,
  p_operation    text,
  p_request_hash text,
  p_count        integer,
  OUT verdict    text,
  OUT ids        uuid[]
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_binding :schema.operation%ROWTYPE;
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
  ELSIF v_binding.settled OR EXISTS (
    SELECT 1 FROM :schema.submitter_nonce_allocation a
    WHERE a.id = ANY (v_binding.ids)
      AND a.stage NOT IN ('REUSABLE', 'CONSUMED_EXTERNAL', 'BURNT')) THEN
    verdict := 'replay';
  ELSIF EXISTS (
    SELECT 1 FROM :schema.allocation_grant g
    JOIN :schema.submitter_nonce_allocation a
      ON a.submitter = g.submitter AND a.chain_generation = g.chain_generation AND a.nonce = g.nonce
    WHERE g.id = ANY (v_binding.ids) AND g.ended_stage = 'QUARANTINED'
      AND NOT (a.stage IN ('FINAL', 'BURNT', 'CONSUMED_EXTERNAL') AND a.proof = 'receipt'
        AND a.tx_hash <> ALL (coalesce(g.hashes, '{}')))) THEN
    verdict := 'unknown';
  ELSE
    verdict := 'rebind';
  END IF;
END $$;
