-- Makes grants of a fast store durable before their handlers run, and binds operations.
--
-- Guarantee: a nonce is recorded for a token only while the grant's epoch rules and nobody else may
-- hold or have sent it; an operation is bound to one set of nonces whatever the fast store lost.
-- Locks: state rows in key order, then allocation rows in key order.
--
-- One element per nonce; `p_requests` counts requests from 1 and rises. Replies one row per request:
--   granted     detail = hashes known at its nonces of earlier holders, `nonce:hash`, comma-separated
--   read        detail = ids of the allocations that answer it, comma-separated (its own, repeated)
--   replayed    the same, of an earlier call of its operation
--   settled     detail = allocations whose rows may be gone, as JSON
--   refused     detail = error code
--   fenced      detail = ids of those of its nonces that are lost, comma-separated
--   contended
CREATE OR REPLACE FUNCTION :schema.record_grants(
  p_requests     integer[],
  p_ids          uuid[],
  p_submitters   text[],
  p_nonces       bigint[],
  p_epochs       bigint[],
  p_generations  integer[],
  p_sources      text[],
  p_exposures    text[],
  p_operations   text[],
  p_hashes       text[],
  p_metadata     text[],
  p_granted_ms   double precision[],
  p_deadlines_ms double precision[]
) RETURNS TABLE (request integer, kind text, detail text)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_now      timestamptz;
  v_gens     integer[];
  -- Its epoch rules, and the nonce lies below its ceiling.
  v_rules    boolean[];
  v_fates    text[];
  v_request  record;
  v_verdict  text;
  v_ids      uuid[];
  v_settled  jsonb;
  v_refused  integer[] := '{}';
  -- Of those that are only read, the ones whose operation is bound all the same.
  v_bound    integer[] := '{}';
  v_seen     text[] := '{}';
BEGIN
  PERFORM 1 FROM :schema.submitter_nonce_state s
  WHERE s.submitter = ANY (p_submitters) ORDER BY s.submitter FOR UPDATE;
  v_now := clock_timestamp();
  -- Read apart, and each row looked up alone below: LIMIT forbids joining all rows of a submitter,
  -- which plans that were made while the tables were empty took for as cheap. A locked row stays
  -- where it is, so that it is updated by its place.
  SELECT array_agg(r.gen), array_agg(r.rules) INTO v_gens, v_rules FROM (
    SELECT s.chain_generation AS gen,
      coalesce(s.engine = 'performance' AND s.epoch = q.epoch AND q.nonce < s.ceiling, false) AS rules
    FROM unnest(p_submitters, p_nonces, p_epochs) WITH ORDINALITY
      AS q (submitter, nonce, epoch, ord)
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

  SELECT array_agg(f.fate ORDER BY f.ord) INTO v_fates FROM (
    SELECT q.ord, CASE
      WHEN a.id = q.id THEN 'own'
      WHEN NOT q.rules
        OR row_number() OVER (PARTITION BY q.submitter, q.nonce ORDER BY q.generation DESC) > 1
        THEN 'fenced'
      WHEN a.nonce IS NULL THEN 'insert'
      WHEN (q.epoch, q.generation) > (a.epoch, a.generation) AND (
        a.stage = 'REUSABLE'
        OR (a.stage = 'GRANTED' AND a.exposure = 'declared' AND a.source <> 'replacement'
          AND NOT a.shared)
        -- Its holder gave it back to the store, which Postgres has not heard of yet.
        OR (a.stage = 'GRANTED' AND q.source = 'recycled' AND a.source <> 'replacement'
          AND NOT a.shared AND a.epoch = q.epoch AND :schema.is_relaxed(q.submitter, a.epoch))
        OR (a.stage = 'QUARANTINED' AND q.source = 'replacement' AND a.release_at <= v_now))
        THEN 'take'
      ELSE 'fenced' END AS fate
    FROM unnest(p_ids, p_submitters, v_gens, p_nonces, p_epochs, p_generations, p_sources, v_rules)
      WITH ORDINALITY AS q (id, submitter, gen, nonce, epoch, generation, source, rules, ord)
    LEFT JOIN LATERAL (
      SELECT k.nonce, k.id, k.stage, k.epoch, k.generation, k.exposure, k.source, k.shared,
        k.release_at
      FROM :schema.submitter_nonce_allocation k
      WHERE k.submitter = q.submitter AND k.chain_generation = q.gen AND k.nonce = q.nonce
      LIMIT 1) a ON true) f;

  FOR v_request IN
    SELECT q.request, min(q.ord)::integer AS first, count(*)::integer AS size,
      array_agg(q.id ORDER BY q.ord) AS ids, bool_or(q.fate = 'fenced') AS is_fenced,
      array_agg(q.id ORDER BY q.ord) FILTER (WHERE q.fate = 'fenced') AS lost,
      bool_and(q.fate = 'own') AS is_own
    FROM unnest(p_requests, p_ids, v_fates) WITH ORDINALITY AS q (request, id, fate, ord)
    GROUP BY q.request
    HAVING bool_or(q.fate IN ('fenced', 'own')) OR p_operations IS NOT NULL
    ORDER BY q.request
  LOOP
    v_verdict := NULL;
    v_ids := NULL;
    v_settled := NULL;
    IF v_request.is_own AND p_operations[v_request.first] IS NULL THEN
      v_verdict := 'read';
      v_ids := v_request.ids;
    ELSIF p_operations[v_request.first] IS NOT NULL THEN
      IF p_submitters[v_request.first] || ' ' || p_operations[v_request.first] = ANY (v_seen) THEN
        v_verdict := 'contended';
      ELSE
        v_seen := v_seen || (p_submitters[v_request.first] || ' ' || p_operations[v_request.first]);
        SELECT CASE r.verdict
            WHEN 'replay' THEN 'replayed'
            WHEN 'settled' THEN 'settled'
            WHEN 'contended' THEN 'contended'
            WHEN 'reused' THEN 'NONCE_IDEMPOTENCY_REUSED'
            WHEN 'unknown' THEN 'NONCE_OUTCOME_UNKNOWN' END, r.ids, r.settled
        INTO v_verdict, v_ids, v_settled
        FROM :schema.resolve_operation(p_submitters[v_request.first],
          p_operations[v_request.first], p_hashes[v_request.first], v_request.size) r;
        IF v_request.is_own AND (v_verdict IS NULL OR v_ids @> v_request.ids) THEN
          -- Flushed before it was recorded: its events made the rows, and bound nothing.
          IF v_verdict IS NULL THEN
            v_bound := v_bound || v_request.request;
          END IF;
          v_verdict := 'read';
          v_ids := v_request.ids;
        ELSIF v_verdict = 'replayed' AND NOT :schema.share_allocations(
          v_ids, p_exposures[v_request.first]:::schema.allocation_exposure) THEN
          v_verdict := 'contended';
        END IF;
      END IF;
    END IF;
    IF v_verdict IS NULL AND v_request.is_fenced THEN
      v_verdict := 'fenced';
      v_ids := v_request.lost;
    END IF;
    IF v_verdict IS NULL THEN
      CONTINUE;
    END IF;
    v_refused := v_refused || v_request.request;
    request := v_request.request;
    kind := CASE WHEN v_verdict LIKE 'NONCE_%' THEN 'refused' ELSE v_verdict END;
    detail := CASE WHEN v_verdict LIKE 'NONCE_%' THEN v_verdict
      ELSE coalesce(v_settled::text, array_to_string(v_ids, ',')) END;
    RETURN NEXT;
  END LOOP;

  INSERT INTO :schema.allocation_grant (
    id, submitter, chain_generation, nonce, generation, source, ended_stage, operation_id, hashes,
    inherited_hashes, note, granted_at, ended_at)
  SELECT a.id, a.submitter, a.chain_generation, a.nonce, a.generation, a.source, a.stage,
    a.operation_id, a.hashes, a.inherited_hashes, a.note, a.created_at, v_now
  FROM unnest(p_requests, p_submitters, v_gens, p_nonces, v_fates)
    AS q (request, submitter, gen, nonce, fate)
  CROSS JOIN LATERAL (
    SELECT * FROM :schema.submitter_nonce_allocation k
    WHERE k.submitter = q.submitter AND k.chain_generation = q.gen AND k.nonce = q.nonce
    LIMIT 1) a
  WHERE q.fate = 'take' AND q.request <> ALL (v_refused) AND a.generation > 0
  ON CONFLICT (id) DO NOTHING;

  UPDATE :schema.submitter_nonce_allocation a
  SET id = q.id,
      stage = 'GRANTED',
      source = CASE WHEN a.stage = 'QUARANTINED' OR a.source = 'replacement' THEN 'replacement'
        ELSE 'recycled' END:::schema.allocation_source,
      exposure = q.exposure:::schema.allocation_exposure,
      engine = 'performance',
      generation = q.generation,
      epoch = q.epoch,
      rank = 1,
      operation_id = q.operation_id,
      tx_hash = NULL,
      inherited_hashes = coalesce(cardinality(a.hashes), 0),
      shared = false,
      note = NULL,
      metadata = q.metadata::jsonb,
      deadline = to_timestamp(q.deadline_ms / 1000),
      due_at = NULL,
      release_at = NULL,
      stuck_since = NULL,
      created_at = to_timestamp(q.granted_ms / 1000),
      updated_at = v_now
  FROM unnest(p_requests, p_ids, p_submitters, v_gens, p_nonces, p_epochs, p_generations,
      p_exposures, p_operations, p_metadata, p_granted_ms, p_deadlines_ms, v_fates)
    AS q (request, id, submitter, gen, nonce, epoch, generation, exposure, operation_id, metadata,
      granted_ms, deadline_ms, fate)
  CROSS JOIN LATERAL (
    SELECT k.ctid FROM :schema.submitter_nonce_allocation k
    WHERE k.submitter = q.submitter AND k.chain_generation = q.gen AND k.nonce = q.nonce
    LIMIT 1) place
  WHERE q.fate = 'take' AND q.request <> ALL (v_refused) AND a.ctid = place.ctid;

  INSERT INTO :schema.submitter_nonce_allocation (
    submitter, chain_generation, nonce, id, stage, source, exposure, engine, generation, epoch,
    rank, operation_id, metadata, deadline, created_at, updated_at)
  SELECT q.submitter, q.gen, q.nonce, q.id, 'GRANTED',
    q.source:::schema.allocation_source, q.exposure:::schema.allocation_exposure, 'performance',
    q.generation, q.epoch, 1, q.operation_id, q.metadata::jsonb,
    to_timestamp(q.deadline_ms / 1000), to_timestamp(q.granted_ms / 1000), v_now
  FROM unnest(p_requests, p_ids, p_submitters, v_gens, p_nonces, p_epochs, p_generations,
      p_sources, p_exposures, p_operations, p_metadata, p_granted_ms, p_deadlines_ms, v_fates)
    AS q (request, id, submitter, gen, nonce, epoch, generation, source, exposure, operation_id,
      metadata, granted_ms, deadline_ms, fate)
  WHERE q.fate = 'insert' AND q.request <> ALL (v_refused)
  ORDER BY q.submitter, q.nonce;

  UPDATE :schema.submitter_nonce_state s
  SET next_local_nonce = n.next, updated_at = v_now
  FROM (
    SELECT q.submitter, max(q.nonce) + 1 AS next
    FROM unnest(p_requests, p_submitters, p_nonces, v_fates) AS q (request, submitter, nonce, fate)
    WHERE q.fate = 'insert' AND q.request <> ALL (v_refused)
    GROUP BY q.submitter) n
  WHERE s.submitter = n.submitter AND s.next_local_nonce < n.next;

  IF p_operations IS NOT NULL THEN
    INSERT INTO :schema.operation AS o (
      submitter, operation_id, first_nonce, count, ids, nonces, request_hash, created_at,
      updated_at)
    SELECT min(q.submitter), min(p_operations[q.ord]), min(q.nonce), count(*)::integer,
      array_agg(q.id ORDER BY q.nonce), array_agg(q.nonce ORDER BY q.nonce),
      min(p_hashes[q.ord]), v_now, v_now
    FROM unnest(p_requests, p_ids, p_submitters, p_nonces) WITH ORDINALITY
      AS q (request, id, submitter, nonce, ord)
    WHERE p_operations[q.ord] IS NOT NULL
      AND (q.request <> ALL (v_refused) OR q.request = ANY (v_bound))
    GROUP BY q.request
    ON CONFLICT (submitter, operation_id) DO UPDATE
    SET first_nonce = excluded.first_nonce, count = excluded.count, ids = excluded.ids,
        nonces = excluded.nonces, request_hash = excluded.request_hash, settled = NULL,
        updated_at = v_now;
  END IF;

  RETURN QUERY
  SELECT q.request, 'granted'::text,
    string_agg(a.nonce || ':' || h.hash, ',' ORDER BY a.nonce, h.position)
  FROM unnest(p_requests, p_submitters, v_gens, p_nonces) AS q (request, submitter, gen, nonce)
  CROSS JOIN LATERAL (
    SELECT k.nonce, k.hashes FROM :schema.submitter_nonce_allocation k
    WHERE k.submitter = q.submitter AND k.chain_generation = q.gen AND k.nonce = q.nonce
    LIMIT 1) a
  LEFT JOIN LATERAL unnest(a.hashes) WITH ORDINALITY AS h (hash, position) ON true
  WHERE q.request <> ALL (v_refused)
  GROUP BY q.request;
END $$;

-- What an operation is bound to, for a caller that the fast store cannot serve.
-- Replies one row: kind as in record_grants, or `new` when nothing binds it.
CREATE OR REPLACE FUNCTION :schema.find_binding(
  p_submitter text,
  p_operation text,
  p_hash      text,
  p_count     integer,
  p_exposure  text
) RETURNS TABLE (kind text, detail text) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_found record;
BEGIN
  -- Nearly every call: it takes no lock, and so nobody waits for its commit. Who binds the operation
  -- meanwhile is met when this caller's own grant is recorded.
  IF NOT EXISTS (
    SELECT 1 FROM :schema.operation o
    WHERE o.submitter = p_submitter AND o.operation_id = p_operation) THEN
    kind := 'new';
    RETURN NEXT;
    RETURN;
  END IF;
  PERFORM 1 FROM :schema.submitter_nonce_state s WHERE s.submitter = p_submitter FOR UPDATE;
  SELECT r.verdict, r.ids, r.settled INTO v_found
  FROM :schema.resolve_operation(p_submitter, p_operation, p_hash, p_count) r;
  kind := CASE v_found.verdict
    WHEN 'replay' THEN 'replayed'
    WHEN 'rebind' THEN 'new'
    WHEN 'reused' THEN 'refused'
    WHEN 'unknown' THEN 'refused'
    ELSE v_found.verdict END;
  detail := CASE v_found.verdict
    WHEN 'reused' THEN 'NONCE_IDEMPOTENCY_REUSED'
    WHEN 'unknown' THEN 'NONCE_OUTCOME_UNKNOWN'
    ELSE coalesce(v_found.settled::text, array_to_string(v_found.ids, ',')) END;
  IF kind = 'replayed' AND NOT :schema.share_allocations(
    v_found.ids, p_exposure:::schema.allocation_exposure) THEN
    kind := 'contended';
  END IF;
  RETURN NEXT;
END $$;
