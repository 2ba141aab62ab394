-- Commands of holders whose fast grants Postgres may not have heard of yet.

-- Whether a free nonce was handed to the store of a ruling relaxed epoch: then that store alone knows
-- whether somebody holds it, and may have sent without a word to Postgres.
CREATE OR REPLACE FUNCTION :schema.is_lent(p_submitter text, p_loaded_epoch bigint) RETURNS boolean
LANGUAGE sql STABLE
SET enable_seqscan = off
AS $$
  SELECT EXISTS (
    SELECT 1 FROM :schema.submitter_nonce_state s
    JOIN :schema.epoch_log l ON l.submitter = s.submitter AND l.epoch = s.epoch
    WHERE s.submitter = p_submitter AND s.epoch = p_loaded_epoch AND s.engine = 'performance'
      AND l.intents = 'relaxed')
$$;

-- Makes or adopts the rows of fast grants, so that commands find them. A grant gets a row while
-- nobody else holds the nonce or may have sent it, and while its operation is bound to nothing else.
-- Returns the ids it made, already in INTENT where that was the command.
-- Locks: state rows in key order, then allocation rows in key order.
CREATE OR REPLACE FUNCTION :schema.adopt_fast_grants(
  p_commands     text[],
  p_ids          uuid[],
  p_submitters   text[],
  p_nonces       bigint[],
  p_hashes       text[],
  p_raw          bytea[],
  p_epochs       bigint[],
  p_generations  integer[],
  p_sources      text[],
  p_exposures    text[],
  p_operations   text[],
  p_metadata     text[],
  p_granted_ms   double precision[],
  p_deadlines_ms double precision[]
) RETURNS uuid[] LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_now    timestamptz;
  v_ords   integer[];
  v_gens   integer[];
  v_fates  text[];
  v_made   uuid[];
BEGIN
  SELECT array_agg(q.ord::integer) INTO v_ords
  FROM unnest(p_ids, p_generations) WITH ORDINALITY AS q (id, generation, ord)
  WHERE q.generation IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM :schema.submitter_nonce_allocation a WHERE a.id = q.id)
    AND NOT EXISTS (SELECT 1 FROM :schema.allocation_grant g WHERE g.id = q.id);
  IF v_ords IS NULL THEN
    RETURN NULL;
  END IF;
  PERFORM 1 FROM :schema.submitter_nonce_state s
  WHERE s.submitter = ANY (ARRAY(SELECT p_submitters[o] FROM unnest(v_ords) AS o))
  ORDER BY s.submitter FOR UPDATE;
  v_now := clock_timestamp();
  -- Read apart, and each row looked up alone below: see record_grants.
  SELECT array_agg(r.gen) INTO v_gens FROM (
    SELECT s.chain_generation AS gen FROM unnest(p_submitters) WITH ORDINALITY AS q (submitter, ord)
    LEFT JOIN :schema.submitter_nonce_state s ON s.submitter = q.submitter
    ORDER BY q.ord) r;
  PERFORM 1 FROM (
    SELECT * FROM unnest(p_submitters, v_gens, p_nonces) AS u (submitter, gen, nonce)
    ORDER BY u.submitter COLLATE "C", u.gen, u.nonce) q
  CROSS JOIN LATERAL (
    SELECT 1 FROM :schema.submitter_nonce_allocation k
    WHERE k.submitter = q.submitter AND k.chain_generation = q.gen AND k.nonce = q.nonce
    LIMIT 1
    FOR UPDATE) a;

  SELECT array_agg(f.fate ORDER BY f.at) INTO v_fates FROM (
    SELECT o.at, CASE
      WHEN s.submitter IS NULL OR p_nonces[o.ord] >= s.ceiling OR p_epochs[o.ord] > s.epoch
        -- It was granted for a chain that is gone.
        OR p_epochs[o.ord] < s.generation_epoch
        OR row_number() OVER (PARTITION BY p_submitters[o.ord], p_nonces[o.ord]
          ORDER BY p_epochs[o.ord] DESC, p_generations[o.ord] DESC) > 1
        OR EXISTS (
          SELECT 1 FROM :schema.operation b
          WHERE b.submitter = s.submitter AND b.operation_id = p_operations[o.ord]
            AND p_ids[o.ord] <> ALL (b.ids))
        -- Its row came while this waited for the lock.
        OR a.id = p_ids[o.ord]
        THEN 'none'
      WHEN a.nonce IS NULL THEN 'insert'
      -- A later grant of a relaxed epoch that was cut off before Postgres heard of it.
      WHEN a.stage = 'QUARANTINED' AND a.shared AND p_sources[o.ord] <> 'replacement'
        AND (p_epochs[o.ord], p_generations[o.ord]) > (a.epoch, a.generation) THEN 'adopt'
      WHEN a.stage = 'REUSABLE' AND a.loaded_epoch IS NOT NULL AND p_epochs[o.ord] < s.epoch
        AND :schema.is_lent(s.submitter, a.loaded_epoch) THEN 'none'
      -- A sign of life says nothing about a send, so it takes nothing back from a closed range.
      WHEN a.stage = 'REUSABLE' AND p_epochs[o.ord] < s.epoch
        AND p_commands[o.ord] IN ('keep', 'heartbeat', 'recyclable') THEN 'none'
      WHEN a.stage = 'REUSABLE' THEN 'take'
      WHEN a.stage = 'GRANTED' AND a.exposure = 'declared' AND a.source <> 'replacement'
        AND NOT a.shared
        AND (p_epochs[o.ord], p_generations[o.ord]) > (a.epoch, a.generation) THEN 'take'
      -- Its holder gave it back to the store, which Postgres has not heard of yet.
      WHEN a.stage = 'GRANTED' AND p_sources[o.ord] = 'recycled' AND a.source <> 'replacement'
        AND NOT a.shared AND a.epoch = p_epochs[o.ord] AND a.generation < p_generations[o.ord]
        AND :schema.is_relaxed(a.submitter, a.epoch) THEN 'take'
      ELSE 'none' END AS fate
    FROM unnest(v_ords) WITH ORDINALITY AS o (ord, at)
    LEFT JOIN :schema.submitter_nonce_state s ON s.submitter = p_submitters[o.ord]
    LEFT JOIN LATERAL (
      SELECT k.submitter, k.nonce, k.id, k.stage, k.shared, k.epoch, k.generation, k.loaded_epoch, k.exposure,
        k.source
      FROM :schema.submitter_nonce_allocation k
      WHERE k.submitter = p_submitters[o.ord] AND k.chain_generation = v_gens[o.ord]
        AND k.nonce = p_nonces[o.ord]
      LIMIT 1) a ON true) f;

  INSERT INTO :schema.allocation_grant (
    id, submitter, chain_generation, nonce, generation, source, ended_stage, operation_id, hashes,
    inherited_hashes, note, granted_at, ended_at)
  SELECT a.id, a.submitter, a.chain_generation, a.nonce, a.generation, a.source, a.stage,
    a.operation_id, a.hashes, a.inherited_hashes, a.note, a.created_at, v_now
  FROM unnest(v_ords, v_fates) AS o (ord, fate)
  CROSS JOIN LATERAL (
    SELECT * FROM :schema.submitter_nonce_allocation k
    WHERE k.submitter = p_submitters[o.ord] AND k.chain_generation = v_gens[o.ord]
      AND k.nonce = p_nonces[o.ord]
    LIMIT 1) a
  WHERE o.fate IN ('take', 'adopt') AND a.generation > 0
  ON CONFLICT (id) DO NOTHING;

  UPDATE :schema.submitter_nonce_allocation a
  SET id = p_ids[o.ord],
      stage = CASE o.fate WHEN 'take' THEN 'GRANTED' ELSE a.stage::text END:::schema.allocation_stage,
      source = CASE WHEN o.fate = 'take' AND a.source <> 'replacement' THEN 'recycled'
        ELSE a.source::text END:::schema.allocation_source,
      exposure = p_exposures[o.ord]:::schema.allocation_exposure,
      engine = 'performance',
      -- A late owner may come after an epoch whose walk made this row: the row keeps the later one.
      epoch = greatest(a.epoch, p_epochs[o.ord]),
      generation = CASE WHEN (p_epochs[o.ord], p_generations[o.ord]) > (a.epoch, a.generation)
        THEN p_generations[o.ord] ELSE a.generation + 1 END,
      rank = 1,
      -- The last one that its store granted it to: nobody came after.
      loaded_epoch = CASE o.fate WHEN 'take' THEN a.loaded_epoch END,
      operation_id = p_operations[o.ord],
      metadata = p_metadata[o.ord]::jsonb,
      deadline = CASE o.fate WHEN 'take' THEN to_timestamp(p_deadlines_ms[o.ord] / 1000) END,
      created_at = to_timestamp(p_granted_ms[o.ord] / 1000),
      updated_at = v_now
  FROM unnest(v_ords, v_fates) AS o (ord, fate)
  CROSS JOIN LATERAL (
    SELECT k.ctid FROM :schema.submitter_nonce_allocation k
    WHERE k.submitter = p_submitters[o.ord] AND k.chain_generation = v_gens[o.ord]
      AND k.nonce = p_nonces[o.ord]
    LIMIT 1) place
  WHERE o.fate IN ('take', 'adopt') AND a.ctid = place.ctid;

  -- The commonest command is written at once: a second version of the row would cost as much again.
  WITH made AS (
    INSERT INTO :schema.submitter_nonce_allocation (
      submitter, chain_generation, nonce, id, stage, source, exposure, engine, generation, epoch,
      rank, operation_id, metadata, tx_hash, hashes, raw_tx, deadline, due_at, created_at,
      updated_at)
    SELECT p_submitters[o.ord], v_gens[o.ord], p_nonces[o.ord], p_ids[o.ord],
      CASE p_commands[o.ord] WHEN 'intent' THEN 'INTENT' ELSE 'GRANTED' END:::schema.allocation_stage,
      p_sources[o.ord]:::schema.allocation_source,
      p_exposures[o.ord]:::schema.allocation_exposure, 'performance', p_generations[o.ord],
      p_epochs[o.ord], 1, p_operations[o.ord], p_metadata[o.ord]::jsonb,
      CASE p_commands[o.ord] WHEN 'intent' THEN p_hashes[o.ord] END,
      CASE p_commands[o.ord] WHEN 'intent' THEN ARRAY[p_hashes[o.ord]] END,
      CASE p_commands[o.ord] WHEN 'intent' THEN p_raw[o.ord] END,
      CASE WHEN p_commands[o.ord] <> 'intent' THEN to_timestamp(p_deadlines_ms[o.ord] / 1000) END,
      CASE p_commands[o.ord] WHEN 'intent' THEN
        greatest(v_now, to_timestamp(p_deadlines_ms[o.ord] / 1000)) END,
      to_timestamp(p_granted_ms[o.ord] / 1000), v_now
    FROM unnest(v_ords, v_fates) AS o (ord, fate)
    WHERE o.fate = 'insert'
    ORDER BY p_submitters[o.ord] COLLATE "C", p_nonces[o.ord]
    RETURNING id, stage, submitter, nonce, deadline
  ), moved AS (
    UPDATE :schema.submitter_nonce_state s
    SET next_local_nonce = greatest(s.next_local_nonce, n.next),
        -- The sweep looks after reservations of epochs that rule no more.
        reclaim_at = least(s.reclaim_at, n.deadline)
    FROM (
      SELECT m.submitter, max(m.nonce) + 1 AS next, min(m.deadline) AS deadline
      FROM made m GROUP BY m.submitter) n
    WHERE s.submitter = n.submitter
      AND (s.next_local_nonce < n.next OR n.deadline < s.reclaim_at)
  )
  SELECT array_agg(m.id) INTO v_made FROM made m WHERE m.stage = 'INTENT';
  RETURN v_made;
END $$;
