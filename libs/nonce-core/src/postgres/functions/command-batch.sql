-- Applies a batch of holders' commands, each conditional on its owner token, in one statement.
-- Rows of fast grants that Postgres has not heard of are made first (adopt_fast_grants); the arrays
-- of their facts are null when no command carries any.
-- Locks the rows in key order, then decides by :schema.decide_holder_command on what it locked.
-- Replies one row per command: verdict `done` | `same` | an error code, and the row as it then is.
DROP FUNCTION IF EXISTS :schema.command_batch(
  text[], uuid[], text[], bigint[], text[], bytea[], text[], integer[], boolean[], integer, text);
CREATE OR REPLACE FUNCTION :schema.command_batch(
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
        WHEN a.superseded THEN 'refuse:NONCE_FENCED'
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
