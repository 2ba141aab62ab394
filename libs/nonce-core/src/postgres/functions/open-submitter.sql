-- Creates the state row of a submitter; changes nothing when it exists. Nonces that a pool already
-- held are quarantined: whoever sent them, they must not be issued clean.
DROP FUNCTION IF EXISTS :schema.open_submitter(
  text, :schema.engine_name, bigint, bigint, bigint, bigint, text, integer, text);
CREATE OR REPLACE FUNCTION :schema.open_submitter(
  p_submitter       text,
  p_engine          :schema.engine_name,
  p_start           bigint,
  p_pending         bigint,
  p_latest          bigint,
  p_finalized       bigint,
  p_genesis         text,
  p_quarantine_ms   integer,
  p_release         text,
  p_delegated       boolean DEFAULT false
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
  v_next bigint := greatest(p_start, p_pending);
BEGIN
  INSERT INTO :schema.submitter_nonce_state (
    submitter, engine, base, next_local_nonce, ceiling, chain_latest_count, chain_finalized_count,
    genesis_hash, aligned_at, delegated_at)
  VALUES (p_submitter, p_engine, p_start, v_next, v_next, p_latest, p_finalized, p_genesis,
    CASE WHEN p_latest IS NOT NULL THEN v_now END, CASE WHEN p_delegated THEN v_now END)
  ON CONFLICT (submitter) DO NOTHING;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO :schema.epoch_log (submitter, epoch, engine, base, reason)
  VALUES (p_submitter, 1, p_engine, p_start, 'first use');
  INSERT INTO :schema.submitter_nonce_allocation (
    submitter, chain_generation, nonce, id, stage, source, exposure, engine, generation, epoch,
    note, due_at, release_at, created_at, updated_at)
  SELECT p_submitter, 1, n, gen_random_uuid(), 'QUARANTINED', 'fresh', 'assumed', p_engine, 0, 1,
    'in a pool before first use', v_now + p_quarantine_ms / 2 * interval '1 ms',
    CASE WHEN p_release = 'replacement' THEN v_now + p_quarantine_ms * interval '1 ms' END,
    v_now, v_now
  FROM generate_series(p_start, v_next - 1) AS n;
  RETURN true;
END $$;
