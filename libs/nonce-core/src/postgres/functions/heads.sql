-- Steps of the followed heads.

-- Records a step from the head that the caller knew, and makes the rows due that it decides about:
-- those of its transactions, those in blocks that were replaced, and those whose block is confirmed or
-- final by now. Guarantee: of two that step from the same head one does, and the other changes nothing.
CREATE OR REPLACE FUNCTION :schema.advance_head(
  p_chain_id     bigint,
  p_expected     text,
  p_fork         bigint,
  p_numbers      bigint[],
  p_hashes       text[],
  p_parents      text[],
  p_transactions text[],
  p_confirmed    bigint,
  p_final        bigint
) RETURNS boolean LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_head bigint := p_numbers[cardinality(p_numbers)];
  v_hash text := p_hashes[cardinality(p_hashes)];
BEGIN
  IF p_expected IS NULL THEN
    INSERT INTO :schema.chain_head (chain_id, head_number, head_hash)
    VALUES (p_chain_id, v_head, v_hash)
    ON CONFLICT (chain_id) DO NOTHING;
  ELSE
    UPDATE :schema.chain_head h
    SET head_number = v_head, head_hash = v_hash, updated_at = clock_timestamp()
    WHERE h.chain_id = p_chain_id AND h.head_hash = p_expected;
  END IF;
  IF NOT FOUND THEN
    RETURN false;
  END IF;

  INSERT INTO :schema.chain_header (chain_id, slot, number, hash, parent_hash)
  SELECT p_chain_id, n.number % 1024, n.number, n.hash, n.parent
  FROM unnest(p_numbers, p_hashes, p_parents) AS n (number, hash, parent)
  ORDER BY n.number
  ON CONFLICT (chain_id, slot) DO UPDATE
  SET number = excluded.number, hash = excluded.hash, parent_hash = excluded.parent_hash;

  WITH affected AS MATERIALIZED (
    SELECT a.id FROM :schema.submitter_nonce_allocation a
    WHERE a.tx_hash = ANY (p_transactions) AND a.due_at IS NOT NULL
    UNION
    SELECT a.id FROM :schema.submitter_nonce_allocation a
    WHERE a.hashes && p_transactions AND a.due_at IS NOT NULL AND cardinality(a.hashes) > 1
    UNION
    SELECT a.id FROM :schema.submitter_nonce_allocation a
    WHERE a.stage IN ('MINED', 'CONFIRMED') AND a.block_number > p_fork
    UNION
    SELECT a.id FROM :schema.submitter_nonce_allocation a
    WHERE a.stage IN ('MINED', 'CONFIRMED') AND a.stage = 'MINED' AND a.block_number <= p_confirmed
    UNION
    SELECT a.id FROM :schema.submitter_nonce_allocation a
    WHERE a.stage IN ('MINED', 'CONFIRMED') AND a.stage = 'CONFIRMED' AND a.block_number <= p_final
  ), locked AS MATERIALIZED (
    SELECT a.id FROM :schema.submitter_nonce_allocation a
    WHERE a.id IN (SELECT f.id FROM affected f)
      AND split_part(a.submitter, ':', 2)::bigint = p_chain_id
      AND a.due_at > clock_timestamp()
    ORDER BY a.submitter, a.chain_generation, a.nonce
    FOR UPDATE
  )
  UPDATE :schema.submitter_nonce_allocation a
  SET due_at = clock_timestamp()
  FROM locked
  WHERE a.id = locked.id AND a.due_at IS NOT NULL;
  RETURN true;
END $$;
