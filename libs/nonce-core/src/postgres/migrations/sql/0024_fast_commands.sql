-- Commands of holders whose fast grants Postgres may not have heard of yet, and the sweep and the
-- alignment beside fast epochs.

-- Whether a free nonce was handed to the store of a ruling relaxed epoch: then that store alone knows
-- whether somebody holds it, and may have sent without a word to Postgres.
CREATE FUNCTION :schema.is_lent(p_submitter text, p_loaded_epoch bigint) RETURNS boolean
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
CREATE FUNCTION :schema.adopt_fast_grants(
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
  PERFORM 1 FROM unnest(p_submitters, p_nonces) AS q (submitter, nonce)
  JOIN :schema.submitter_nonce_state s ON s.submitter = q.submitter
  JOIN :schema.submitter_nonce_allocation a
    ON a.submitter = q.submitter AND a.chain_generation = s.chain_generation AND a.nonce = q.nonce
  ORDER BY a.submitter, a.chain_generation, a.nonce
  FOR UPDATE OF a;

  SELECT array_agg(f.fate ORDER BY f.at) INTO v_fates FROM (
    SELECT o.at, CASE
      WHEN s.submitter IS NULL OR p_nonces[o.ord] >= s.ceiling OR p_epochs[o.ord] > s.epoch
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
      ELSE 'none' END AS fate
    FROM unnest(v_ords) WITH ORDINALITY AS o (ord, at)
    LEFT JOIN :schema.submitter_nonce_state s ON s.submitter = p_submitters[o.ord]
    LEFT JOIN :schema.submitter_nonce_allocation a
      ON a.submitter = s.submitter AND a.chain_generation = s.chain_generation
        AND a.nonce = p_nonces[o.ord]) f;

  INSERT INTO :schema.allocation_grant (
    id, submitter, chain_generation, nonce, generation, source, ended_stage, operation_id, hashes,
    inherited_hashes, note, granted_at, ended_at)
  SELECT a.id, a.submitter, a.chain_generation, a.nonce, a.generation, a.source, a.stage,
    a.operation_id, a.hashes, a.inherited_hashes, a.note, a.created_at, v_now
  FROM unnest(v_ords, v_fates) AS o (ord, fate)
  JOIN :schema.submitter_nonce_state s ON s.submitter = p_submitters[o.ord]
  JOIN :schema.submitter_nonce_allocation a
    ON a.submitter = s.submitter AND a.chain_generation = s.chain_generation
      AND a.nonce = p_nonces[o.ord]
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
  FROM unnest(v_ords, v_fates) AS o (ord, fate),
    :schema.submitter_nonce_state s
  WHERE o.fate IN ('take', 'adopt') AND s.submitter = p_submitters[o.ord]
    AND a.submitter = s.submitter AND a.chain_generation = s.chain_generation
    AND a.nonce = p_nonces[o.ord];

  -- The commonest command is written at once: a second version of the row would cost as much again.
  WITH made AS (
    INSERT INTO :schema.submitter_nonce_allocation (
      submitter, chain_generation, nonce, id, stage, source, exposure, engine, generation, epoch,
      rank, operation_id, metadata, tx_hash, hashes, raw_tx, deadline, due_at, created_at,
      updated_at)
    SELECT s.submitter, s.chain_generation, p_nonces[o.ord], p_ids[o.ord],
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
    JOIN :schema.submitter_nonce_state s ON s.submitter = p_submitters[o.ord]
    WHERE o.fate = 'insert'
    ORDER BY s.submitter, p_nonces[o.ord]
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

-- Applies a batch of holders' commands, each conditional on its owner token, in one statement.
-- Rows of fast grants that Postgres has not heard of are made first (adopt_fast_grants); the arrays
-- of their facts are null when no command carries any.
-- Locks the rows in key order, then decides by :schema.decide_holder_command on what it locked.
-- Replies one row per command: verdict `done` | `same` | an error code, and the row as it then is.
DROP FUNCTION :schema.command_batch(
  text[], uuid[], text[], bigint[], text[], bytea[], text[], integer[], boolean[], integer, text);
CREATE FUNCTION :schema.command_batch(
  p_commands      text[],
  p_ids           uuid[],
  p_submitters    text[],
  p_nonces        bigint[],
  p_hashes        text[],
  p_raw           bytea[],
  p_notes         text[],
  p_ttls_ms       integer[],
  p_followable    boolean[],
  p_quarantine_ms integer,
  p_release       text,
  p_epochs        bigint[],
  p_generations   integer[],
  p_sources       text[],
  p_exposures     text[],
  p_operations    text[],
  p_metadata      text[],
  p_granted_ms    double precision[],
  p_deadlines_ms  double precision[]
) RETURNS TABLE (
  ord integer, verdict text, previous text, id uuid, submitter text, nonce bigint, stage text,
  source text, exposure text, engine text, epoch bigint, operation_id text, tx_hash text,
  hashes text, proof text, note text, deadline_ms double precision, created_ms double precision,
  updated_ms double precision
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_now      timestamptz;
  v_made     uuid[];
  v_ord      integer[];
  v_verdict  text[];
  v_previous text[];
  v_ids      uuid[];
BEGIN
  IF p_generations IS NOT NULL THEN
    v_made := :schema.adopt_fast_grants(p_commands, p_ids, p_submitters, p_nonces, p_hashes, p_raw,
      p_epochs, p_generations, p_sources, p_exposures, p_operations, p_metadata, p_granted_ms,
      p_deadlines_ms);
  END IF;
  PERFORM 1 FROM :schema.submitter_nonce_allocation a
  WHERE a.id = ANY (p_ids)
  ORDER BY a.submitter, a.chain_generation, a.nonce
  FOR UPDATE;
  v_now := clock_timestamp();

  SELECT array_agg(d.ord ORDER BY d.ord), array_agg(d.verdict ORDER BY d.ord),
    array_agg(d.previous ORDER BY d.ord), array_agg(d.id ORDER BY d.ord)
  INTO v_ord, v_verdict, v_previous, v_ids
  FROM (
    SELECT q.ord::integer, q.id,
      CASE WHEN q.id = ANY (v_made) THEN 'GRANTED' ELSE a.stage::text END AS previous,
      CASE
        WHEN q.id = ANY (v_made) THEN 'made'
        WHEN a.id IS NULL THEN CASE
          -- A grant that a fast store vouches for was real once; its nonce is somebody else's now.
          WHEN p_generations[q.ord] IS NOT NULL
            OR EXISTS (SELECT 1 FROM :schema.allocation_grant g WHERE g.id = q.id)
            OR EXISTS (
              SELECT 1 FROM :schema.submitter_nonce_allocation other
              JOIN :schema.submitter_nonce_state s
                ON s.submitter = other.submitter AND s.chain_generation = other.chain_generation
              WHERE other.submitter = q.submitter AND other.nonce = q.nonce)
          THEN 'refuse:NONCE_FENCED' ELSE 'refuse:NONCE_ALLOCATION_UNKNOWN' END
        WHEN a.nonce <> q.nonce OR a.submitter <> q.submitter THEN 'refuse:NONCE_FENCED'
        -- Its own store may take a free nonce back for its late owner, as a later grant. An owner that
        -- came before the nonce was lent, and is heard here after it, proves nothing of the kind.
        -- Words that cannot move a free nonce are answered as everywhere else.
        WHEN a.stage = 'REUSABLE' AND a.loaded_epoch IS NOT NULL
          AND (q.hash IS NOT NULL OR q.command = 'quarantine')
          AND NOT coalesce(p_epochs[q.ord] = a.loaded_epoch
            AND (p_epochs[q.ord], p_generations[q.ord]) > (a.epoch, a.generation), false)
          AND :schema.is_lent(a.submitter, a.loaded_epoch) THEN 'refuse:NONCE_FENCED'
        -- It was lent to a relaxed store that was cut off: whoever was granted it there may have sent,
        -- and nobody heard of it.
        WHEN q.command = 'intent' AND a.stage = 'QUARANTINED' AND a.shared
          AND a.source <> 'replacement' AND a.loaded_epoch IS NOT NULL THEN 'refuse:NONCE_FENCED'
        -- A late owner adopts its nonce only while its operation is bound to nothing else. A flushed
        -- grant may be GRANTED although its operation was never bound to it, and is to another (H-2).
        WHEN q.hash IS NOT NULL AND a.stage IN ('GRANTED', 'REUSABLE', 'QUARANTINED')
          AND a.operation_id IS NOT NULL AND coalesce((
            SELECT a.id <> ALL (o.ids) FROM :schema.operation o
            WHERE o.submitter = a.submitter AND o.operation_id = a.operation_id),
            a.stage <> 'GRANTED')
        THEN 'refuse:NONCE_FENCED'
        ELSE :schema.decide_holder_command(q.command, a.stage, q.hash IS NOT NULL,
          coalesce(q.hash = ANY (a.hashes), false),
          coalesce(cardinality(a.hashes), 0) > a.inherited_hashes, q.followable,
          a.source = 'replacement' OR a.shared)
      END AS verdict
    FROM unnest(p_commands, p_ids, p_submitters, p_nonces, p_hashes, p_followable) WITH ORDINALITY
      AS q (command, id, submitter, nonce, hash, followable, ord)
    LEFT JOIN :schema.submitter_nonce_allocation a ON a.id = q.id) d;

  UPDATE :schema.submitter_nonce_allocation a
  SET stage = w.stage,
      hashes = CASE WHEN w.hash IS NULL OR w.hash = ANY (a.hashes) THEN a.hashes
        ELSE a.hashes || w.hash END,
      tx_hash = coalesce(w.hash, a.tx_hash),
      raw_tx = coalesce(w.raw, a.raw_tx),
      note = coalesce(w.note, a.note),
      deadline = CASE WHEN w.stage = 'GRANTED' THEN v_now + w.ttl END,
      due_at = CASE w.stage
        WHEN 'INTENT' THEN greatest(a.deadline, v_now + w.ttl)
        WHEN 'BROADCAST' THEN v_now
        -- Evidence is looked for while the nonce still waits, not at the instant it is released.
        WHEN 'QUARANTINED' THEN v_now + p_quarantine_ms / 2 * interval '1 ms' END,
      release_at = CASE WHEN w.stage = 'QUARANTINED' AND p_release = 'replacement'
        THEN v_now + p_quarantine_ms * interval '1 ms' END,
      stuck_since = CASE WHEN w.stage = a.stage THEN a.stuck_since END,
      -- Its fast store is told to forget it, and is handed it anew once it may be issued again.
      loaded_epoch = CASE WHEN w.stage IN ('REUSABLE', 'QUARANTINED') AND w.stage <> a.stage THEN NULL
        ELSE a.loaded_epoch END,
      updated_at = v_now
  FROM (
    SELECT u.id, u.hash, u.raw, u.note, u.ttl_ms * interval '1 ms' AS ttl,
      CASE WHEN u.verdict = 'stay' THEN u.previous ELSE substr(u.verdict, 6) END:::schema.allocation_stage
        AS stage
    FROM unnest(v_ids, v_verdict, v_previous, p_hashes, p_raw, p_notes, p_ttls_ms)
      AS u (id, verdict, previous, hash, raw, note, ttl_ms)
    WHERE u.verdict = 'stay' OR u.verdict LIKE 'move:%') w
  WHERE a.id = w.id;

  RETURN QUERY
  SELECT r.ord,
    CASE WHEN r.verdict = 'same' THEN 'same' WHEN r.verdict LIKE 'refuse:%' THEN substr(r.verdict, 8)
      ELSE 'done' END,
    r.previous, r.id, a.submitter, a.nonce, a.stage::text, a.source::text, a.exposure::text,
    a.engine::text, a.epoch, a.operation_id, a.tx_hash, array_to_string(a.hashes, ','), a.proof,
    a.note, extract(epoch FROM a.deadline)::double precision * 1000,
    extract(epoch FROM a.created_at)::double precision * 1000,
    extract(epoch FROM a.updated_at)::double precision * 1000
  FROM unnest(v_ord, v_verdict, v_previous, v_ids) AS r (ord, verdict, previous, id)
  LEFT JOIN :schema.submitter_nonce_allocation a ON a.id = r.id;
END $$;

-- Reservations past their deadline: proven unsent ones become REUSABLE, the others QUARANTINED.
-- Rows another statement is just writing are left for the next call, and so are all but the
-- `p_limit` of each submitter that have been overdue longest. What a fast epoch that still rules
-- has granted is its store's to reclaim: its holders may have moved their deadlines there.
CREATE OR REPLACE FUNCTION :schema.reclaim_of(
  p_submitters    text[],
  p_now           timestamptz,
  p_quarantine_ms integer,
  p_release       text,
  p_limit         integer
) RETURNS SETOF uuid LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
BEGIN
  RETURN QUERY
  WITH overdue AS MATERIALIZED (
    SELECT a.id, a.exposure = 'declared' AND a.source <> 'replacement' AS unsent
    FROM :schema.submitter_nonce_allocation a
    WHERE a.id = ANY (ARRAY(
        SELECT c.id FROM unnest(p_submitters) AS p (submitter)
        JOIN :schema.submitter_nonce_state s ON s.submitter = p.submitter
        CROSS JOIN LATERAL (
          SELECT o.id FROM :schema.submitter_nonce_allocation o
          WHERE o.submitter = s.submitter
            AND o.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
            AND o.deadline <= p_now
            AND NOT (o.engine = 'performance' AND s.engine = 'performance' AND o.epoch = s.epoch)
          ORDER BY o.deadline
          LIMIT p_limit) c))
      AND a.stage = 'GRANTED'
      AND a.deadline <= p_now
    ORDER BY a.submitter, a.chain_generation, a.nonce
    FOR UPDATE SKIP LOCKED
  )
  UPDATE :schema.submitter_nonce_allocation a
  SET stage = CASE WHEN o.unsent THEN 'REUSABLE' ELSE 'QUARANTINED' END:::schema.allocation_stage,
      deadline = NULL,
      due_at = CASE WHEN o.unsent THEN NULL ELSE p_now + p_quarantine_ms / 2 * interval '1 ms' END,
      loaded_epoch = NULL,
      release_at = CASE WHEN NOT o.unsent AND p_release = 'replacement'
        THEN p_now + p_quarantine_ms * interval '1 ms' END,
      note = 'deadline passed',
      updated_at = p_now
  FROM overdue o
  WHERE a.id = o.id AND a.stage = 'GRANTED'
  RETURNING a.id;

  UPDATE :schema.submitter_nonce_state s
  SET reclaim_at = coalesce((
    SELECT min(a.deadline) FROM :schema.submitter_nonce_allocation a
    WHERE a.submitter = s.submitter
      AND a.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
      AND a.deadline IS NOT NULL
      AND NOT (a.engine = 'performance' AND s.engine = 'performance' AND a.epoch = s.epoch)),
    'infinity')
  WHERE s.submitter = ANY (p_submitters) AND s.reclaim_at <= p_now;
END $$;

-- As before, with two differences beside a fast epoch that rules: reports about its grants may still
-- be queued, so they are not judged by the count; and only what lies beyond its ceiling is foreign.
CREATE OR REPLACE FUNCTION :schema.align_submitter(
  p_submitter text,
  p_latest    bigint,
  p_finalized bigint,
  p_genesis   text,
  p_limit     integer
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
      aligned_at = v_now,
      updated_at = v_now
  WHERE s.submitter = p_submitter;

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
  ), locked AS MATERIALIZED (
    SELECT a.nonce,
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
      AND a.nonce IN (SELECT c.nonce FROM candidate c)
    ORDER BY a.nonce
    FOR UPDATE
  ), moved AS (
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
    FROM locked l
    WHERE a.submitter = p_submitter AND a.chain_generation = v_state.chain_generation
      AND a.nonce = l.nonce AND l.verdict IS NOT NULL
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
