-- Keeps an event that cannot be applied, once, and quarantines its nonce: nobody knows what it said,
-- so the nonce may have been sent. Other nonces are not touched; rows with an intent stay as they are.
CREATE OR REPLACE FUNCTION :schema.bury_event(
  p_shard         integer,
  p_entry         text,
  p_submitter     text,
  p_nonce         bigint,
  p_id            uuid,
  p_epoch         bigint,
  p_generation    integer,
  p_event         text,
  p_deliveries    integer,
  p_reason        text,
  p_quarantine_ms integer,
  p_release       text
) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_state :schema.submitter_nonce_state%ROWTYPE;
  v_now timestamptz;
  v_due timestamptz;
  v_release timestamptz;
BEGIN
  SELECT * INTO v_state FROM :schema.submitter_nonce_state s
  WHERE s.submitter = p_submitter FOR UPDATE;
  v_now := clock_timestamp();
  v_due := v_now + p_quarantine_ms / 2 * interval '1 ms';
  v_release := CASE WHEN p_release = 'replacement' THEN v_now + p_quarantine_ms * interval '1 ms' END;
  INSERT INTO :schema.dead_letter (shard, entry_id, submitter, nonce, event, deliveries, reason)
  VALUES (p_shard, p_entry, p_submitter, p_nonce, p_event, p_deliveries, p_reason)
  ON CONFLICT (shard, entry_id) DO NOTHING;
  -- Beyond the ceiling it is recovery that closes the range.
  IF NOT FOUND OR v_state.submitter IS NULL OR p_nonce IS NULL OR p_nonce >= v_state.ceiling
    OR p_epoch < v_state.generation_epoch THEN
    RETURN;
  END IF;
  UPDATE :schema.submitter_nonce_allocation a
  SET stage = 'QUARANTINED', deadline = NULL, due_at = v_due, release_at = v_release,
      loaded_epoch = NULL, note = 'an event about it could not be applied', updated_at = v_now
  WHERE a.submitter = p_submitter AND a.chain_generation = v_state.chain_generation
    AND a.nonce = p_nonce AND a.stage IN ('GRANTED', 'REUSABLE');
  INSERT INTO :schema.submitter_nonce_allocation (
    submitter, chain_generation, nonce, id, stage, source, exposure, engine, generation, epoch,
    note, due_at, release_at, created_at, updated_at)
  SELECT p_submitter, v_state.chain_generation, p_nonce,
    CASE WHEN p_id IS NULL OR EXISTS (
      SELECT 1 FROM :schema.submitter_nonce_allocation o WHERE o.id = p_id)
      THEN gen_random_uuid() ELSE p_id END,
    'QUARANTINED', 'fresh', 'assumed', 'performance', coalesce(p_generation, 1),
    least(coalesce(p_epoch, v_state.epoch), v_state.epoch), 'an event about it could not be applied',
    v_due, v_release, v_now, v_now
  ON CONFLICT (submitter, chain_generation, nonce) DO NOTHING;
  UPDATE :schema.submitter_nonce_state s SET next_local_nonce = p_nonce + 1
  WHERE s.submitter = p_submitter AND s.next_local_nonce <= p_nonce;
END $$;
