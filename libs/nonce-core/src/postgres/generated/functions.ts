// Generated from postgres/functions/*.sql by `npm run generate`. Edit the .sql files, not this one.
// The version counts up whenever the scripts differ from those that stood here.

export const FUNCTIONS = {
  version: 20,
  digest: '9a2e0d9a628c993c622c55ee582aa1422eedeaea32d8854cfea83433167e363c',
  scripts: [
    { name: 'decide-holder-command.sql', text: `-- What a holder's command does in each stage: \`move:<STAGE>\`, \`stay\`, \`same\` or \`refuse:<CODE>\`.
-- The twin of decideHolderCommand in the program; a test compares every combination of facts.
CREATE OR REPLACE FUNCTION :schema.decide_holder_command(
  command     text,
  stage       :schema.allocation_stage,
  has_hash    boolean,
  hash_known  boolean,
  any_hash    boolean,
  followable  boolean,
  replacement boolean
) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE command
    WHEN 'intent' THEN CASE
      WHEN stage IN ('GRANTED', 'QUARANTINED', 'REUSABLE') THEN 'move:INTENT'
      WHEN stage IN ('BURNING', 'BURNT') THEN 'refuse:NONCE_FENCED'
      WHEN hash_known THEN 'same'
      WHEN stage IN ('INTENT', 'BROADCAST') THEN 'stay'
      ELSE 'refuse:NONCE_ALLOCATION_CLOSED' END
    WHEN 'submitted' THEN CASE
      WHEN stage IN ('GRANTED', 'INTENT') THEN 'move:BROADCAST'
      WHEN stage IN ('QUARANTINED', 'REUSABLE') THEN 'move:INTENT'
      WHEN hash_known THEN 'same'
      WHEN stage = 'BROADCAST' THEN 'stay'
      ELSE 'refuse:NONCE_ALLOCATION_CLOSED' END
    WHEN 'used' THEN CASE
      WHEN stage IN ('GRANTED', 'INTENT') THEN
        CASE WHEN followable AND (has_hash OR any_hash) THEN 'move:BROADCAST' ELSE 'move:ASSERTED' END
      WHEN stage = 'QUARANTINED' THEN
        CASE WHEN followable AND (has_hash OR any_hash) THEN 'move:INTENT' ELSE 'move:ASSERTED' END
      WHEN stage = 'BROADCAST' THEN
        CASE WHEN NOT followable THEN 'move:ASSERTED'
             WHEN has_hash AND NOT hash_known THEN 'stay' ELSE 'same' END
      WHEN stage = 'REUSABLE' THEN
        CASE WHEN has_hash THEN 'move:INTENT' ELSE 'refuse:NONCE_ALLOCATION_CLOSED' END
      WHEN stage IN ('BURNING', 'BURNT', 'CONSUMED_EXTERNAL') OR (has_hash AND NOT hash_known) THEN
        'refuse:NONCE_ALLOCATION_CLOSED'
      ELSE 'same' END
    WHEN 'recyclable' THEN CASE
      WHEN stage = 'GRANTED' THEN
        CASE WHEN replacement THEN 'move:QUARANTINED' ELSE 'move:REUSABLE' END
      WHEN stage = 'QUARANTINED' AND NOT any_hash AND NOT replacement THEN 'move:REUSABLE'
      WHEN stage IN ('QUARANTINED', 'INTENT', 'BROADCAST', 'MINED', 'BURNING') THEN
        'refuse:NONCE_RECYCLE_UNSAFE'
      WHEN stage = 'REUSABLE' THEN 'same'
      ELSE 'refuse:NONCE_ALLOCATION_CLOSED' END
    WHEN 'quarantine' THEN CASE
      WHEN stage IN ('GRANTED', 'REUSABLE') THEN 'move:QUARANTINED'
      WHEN stage IN ('QUARANTINED', 'INTENT', 'BROADCAST') THEN 'same'
      ELSE 'refuse:NONCE_ALLOCATION_CLOSED' END
    ELSE CASE
      WHEN stage IN ('GRANTED', 'INTENT') THEN 'stay'
      WHEN stage IN ('BROADCAST', 'MINED', 'CONFIRMED') THEN 'same'
      ELSE 'refuse:NONCE_ALLOCATION_CLOSED' END
  END
$$;` },
    { name: 'reissue.sql', text: `-- Makes nonces issuable again. The callers hold the locks of the state rows.

-- Reservations past their deadline: proven unsent ones become REUSABLE, the others QUARANTINED.
-- Rows another statement is just writing are left for the next call, and so are all but the
-- \`p_limit\` of each submitter that have been overdue longest. What a fast epoch that still rules
-- has granted is its store's to reclaim: its holders may have moved their deadlines there.
-- Deadlines are read in their order, not gathered and sorted: that would be all of them.
-- Once their ids are known, stages are compared as text: beside ids no index of stages is of use.
CREATE OR REPLACE FUNCTION :schema.reclaim_of(
  p_submitters    text[],
  p_now           timestamptz,
  p_quarantine_ms integer,
  p_release       text,
  p_limit         integer
) RETURNS SETOF uuid LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $$
BEGIN
  RETURN QUERY
  WITH overdue AS MATERIALIZED (
    SELECT a.id FROM :schema.submitter_nonce_allocation a
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
      AND a.stage::text = 'GRANTED'
      AND a.deadline <= p_now
    ORDER BY a.submitter, a.chain_generation, a.nonce
    FOR UPDATE SKIP LOCKED
  )
  UPDATE :schema.submitter_nonce_allocation a
  SET stage = CASE WHEN a.exposure = 'declared' AND a.source <> 'replacement' THEN 'REUSABLE'
        ELSE 'QUARANTINED' END:::schema.allocation_stage,
      deadline = NULL,
      due_at = CASE WHEN a.exposure <> 'declared' OR a.source = 'replacement'
        THEN p_now + p_quarantine_ms / 2 * interval '1 ms' END,
      loaded_epoch = NULL,
      release_at = CASE
        WHEN (a.exposure <> 'declared' OR a.source = 'replacement') AND p_release = 'replacement'
        THEN p_now + p_quarantine_ms * interval '1 ms' END,
      note = 'deadline passed',
      updated_at = p_now
  WHERE a.id = ANY (ARRAY(SELECT o.id FROM overdue o))
  RETURNING a.id;

  -- Of many reservations that a ruling fast epoch keeps to itself, only the first are passed over:
  -- the deadline at which this leaves off is when it looks again.
  UPDATE :schema.submitter_nonce_state s
  SET reclaim_at = coalesce((
    SELECT coalesce(min(f.deadline) FILTER (WHERE NOT f.is_ruled),
      CASE WHEN count(*) = 1000 THEN max(f.deadline) END)
    FROM (
      SELECT a.deadline,
        a.engine = 'performance' AND s.engine = 'performance' AND a.epoch = s.epoch AS is_ruled
      FROM :schema.submitter_nonce_allocation a
      WHERE a.submitter = s.submitter
        AND a.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
        AND a.deadline IS NOT NULL
      ORDER BY a.deadline
      LIMIT 1000) f), 'infinity')
  WHERE s.submitter = ANY (p_submitters) AND s.reclaim_at <= p_now;
END $$;

-- Nonces of closed strict ranges without a row were never exposed. The cursor visits each of them
-- once and turns it into a REUSABLE row, as many as are wanted now and fit into the window: they
-- were never issued, so they are fresh to the chain.
CREATE OR REPLACE FUNCTION :schema.walk_closed_ranges(
  p_submitter      text,
  p_wanted         integer,
  p_default_window integer,
  p_now            timestamptz
) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_state :schema.submitter_nonce_state%ROWTYPE;
  v_from bigint;
  v_to bigint;
  v_end bigint;
  v_found integer := 0;
  v_step integer;
BEGIN
  SELECT * INTO v_state FROM :schema.submitter_nonce_state s WHERE s.submitter = p_submitter;
  v_from := greatest(v_state.walk_cursor, coalesce(v_state.chain_latest_count, 0));
  v_end := CASE
    WHEN coalesce(v_state.max_in_flight, p_default_window) = 0 OR v_state.chain_latest_count IS NULL
    THEN v_state.walk_end
    ELSE least(v_state.walk_end,
      v_state.chain_latest_count + coalesce(v_state.max_in_flight, p_default_window)) END;
  WHILE v_from < v_end AND v_found < p_wanted LOOP
    v_to := least(v_end, v_from + p_wanted - v_found);
    INSERT INTO :schema.submitter_nonce_allocation (
      submitter, chain_generation, nonce, id, stage, source, exposure, engine, generation, epoch,
      note, created_at, updated_at)
    SELECT p_submitter, v_state.chain_generation, n, gen_random_uuid(), 'REUSABLE', 'fresh',
      'declared', v_state.engine, 0, v_state.epoch, 'closed range', p_now, p_now
    FROM generate_series(v_from, v_to - 1) AS n
    ON CONFLICT (submitter, chain_generation, nonce) DO NOTHING;
    GET DIAGNOSTICS v_step = ROW_COUNT;
    v_found := v_found + v_step;
    v_from := v_to;
  END LOOP;
  UPDATE :schema.submitter_nonce_state s
  SET walk_cursor = least(greatest(v_from, s.walk_cursor), s.walk_end)
  WHERE s.submitter = p_submitter;
END $$;` },
    { name: 'open-submitter.sql', text: `-- Creates the state row of a submitter; changes nothing when it exists. Nonces that a pool already
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
END $$;` },
    { name: 'operations.sql', text: `-- The allocations of holders whose nonce was re-issued and whose own transaction is final all the
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

-- What an operation id is bound to: \`new\`, \`replay\` (answer with the rows of the bound nonces),
-- \`settled\` (answer with what was kept of them, or with the success of a replaced holder), \`rebind\` (its nonces were proven never sent, or are
-- final by another hash), \`reused\` (another request bears this id), \`unknown\` (its nonce was
-- re-issued as a replacement and the chain has not decided), or \`contended\` (a late report about one
-- of its nonces is just being written; it decides). With \`rebind\` the rows stay locked, so that a
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
END $$;` },
    { name: 'allocate-batch.sql', text: `-- Answers a batch of allocation requests in one statement: the hot path of the reliable engine.
--
-- Guarantee: all writes of the batch commit together; per request all nonces or none; per submitter
-- lowest reusable nonces first, then fresh ones; nothing below the chain's known count.
-- Locks: state rows in key order, then allocation rows in key order, the latter never waited for.
--
-- Requests and slots come sorted by submitter; a slot is one wanted nonce. Replies, by \`kind\`:
--   submitter  index = submitter, nonce = first fresh nonce, extra = epoch, at_ms = grant time
--   reissued   index = submitter, nonce, extra = rank of the slot that got it, detail = source, then
--              the hashes known at that nonce, comma-separated
--   refused    index = request, detail = error code, extra = how many could be granted
--   replayed   index = request, detail = allocation ids, comma-separated
--   settled    index = request, detail = allocations whose rows may be gone, as JSON
--   absent, contended   index = request
-- \`p_strict\` tells which submitters are on chains that refuse a nonce above the next one: they get one
-- nonce, once a node took every lower one.
-- Within a submitter the granted slots take the reissued nonces by rank, then the fresh ones.
DROP FUNCTION IF EXISTS :schema.allocate_batch(
  text[], integer[], integer[], integer[], integer[], integer[], integer[], text[], text[], text[],
  text[], uuid[], integer[], integer[], integer, text, boolean, boolean);
CREATE OR REPLACE FUNCTION :schema.allocate_batch(
  p_submitters        text[],
  p_windows           integer[],
  p_needs             integer[],
  p_min_ttl_ms        integer[],
  p_request_submitter integer[],
  p_request_count     integer[],
  p_request_ttl_ms    integer[],
  p_request_exposure  text[],
  p_request_operation text[],
  p_request_hash      text[],
  p_request_metadata  text[],
  p_slot_ids          uuid[],
  p_slot_request      integer[],
  p_slot_rank         integer[],
  p_quarantine_ms     integer,
  p_release           text,
  p_skip_locked       boolean,
  p_retry             boolean,
  p_strict            boolean[] DEFAULT NULL
) RETURNS TABLE (kind text, index integer, nonce bigint, extra bigint, at_ms double precision, detail text)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_now       timestamptz;
  v_locked    text[];
  v_all_locked boolean;
  v_due       text[];
  v_found     boolean[];
  v_paused    boolean[];
  v_reset     boolean[];
  v_foreign   boolean[];
  v_gen       integer[];
  v_epoch     bigint[];
  v_floor     bigint[];
  v_next      bigint[];
  v_room      bigint[];
  v_reissued  integer[];
  v_taken     integer[];
  v_eligible  boolean[];
  v_simple    boolean;
  q_ids       uuid[] := p_slot_ids;
  q_request   integer[] := p_slot_request;
  q_rank      integer[] := p_slot_rank;
  c_sub       integer[];
  c_rank      integer[];
  c_nonce     bigint[];
  c_source    text[];
  c_hashes    text[];
  v_sub       integer;
  v_first     integer := 1;
  v_verdict   text;
  v_ids       uuid[];
  v_settled   jsonb;
  v_seen      text[] := '{}';
BEGIN
  IF p_skip_locked THEN
    SELECT array_agg(l.submitter) INTO v_locked FROM (
      SELECT s.submitter FROM :schema.submitter_nonce_state s
      WHERE s.submitter = ANY (p_submitters) ORDER BY s.submitter FOR UPDATE SKIP LOCKED) l;
  ELSE
    SELECT array_agg(l.submitter) INTO v_locked FROM (
      SELECT s.submitter FROM :schema.submitter_nonce_state s
      WHERE s.submitter = ANY (p_submitters) ORDER BY s.submitter FOR UPDATE) l;
  END IF;
  -- The clock is read under the locks, so that time spent waiting shortens nobody's deadline.
  v_now := clock_timestamp();
  v_all_locked := cardinality(v_locked) = cardinality(p_submitters);

  -- A second pass only when something was made issuable: it changes the room in the window.
  FOR v_pass IN 1..2 LOOP
    -- Sorted once below, so that the arrays line up with p_submitters without a sort each.
    SELECT array_agg(r.found), array_agg(r.paused), array_agg(r.reset), array_agg(r.is_foreign), array_agg(r.gen),
      array_agg(r.epoch), array_agg(r.floor), array_agg(r.next), array_agg(r.room),
      array_agg(r.submitter) FILTER (WHERE r.due)
    INTO v_found, v_paused, v_reset, v_foreign, v_gen, v_epoch, v_floor, v_next, v_room, v_due
    FROM (
      SELECT s.submitter, s.submitter IS NOT NULL AS found,
        s.paused_at IS NOT NULL OR s.reset_seen_at IS NOT NULL AS paused,
        s.reset_seen_at IS NOT NULL AS reset,
        s.engine IS DISTINCT FROM 'reliable' AS is_foreign, s.chain_generation AS gen, s.epoch,
        coalesce(s.chain_latest_count, 0) AS floor,
        greatest(s.next_local_nonce, s.chain_latest_count) AS next,
        s.reclaim_at <= v_now OR s.walk_cursor < s.walk_end AS due,
        CASE
          WHEN w.size = 0 THEN 9007199254740991
          WHEN s.chain_latest_count IS NOT NULL THEN
            greatest(0, s.chain_latest_count + w.size
              - greatest(s.next_local_nonce, s.chain_latest_count))
          ELSE greatest(0, w.size - (
            SELECT count(*) FROM (
              SELECT 1 FROM :schema.submitter_nonce_allocation a
              WHERE a.submitter = s.submitter AND a.chain_generation = s.chain_generation
                AND a.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
              LIMIT w.size) open))
        END AS room
      FROM unnest(p_submitters, p_windows) WITH ORDINALITY AS p (submitter, default_window, ord)
      LEFT JOIN :schema.submitter_nonce_state s
        ON s.submitter = p.submitter AND (v_all_locked OR p.submitter = ANY (v_locked))
      -- A pool takes one transaction at a time of an account that delegates to code.
      CROSS JOIN LATERAL (SELECT CASE WHEN s.delegated_at IS NOT NULL THEN 1
        ELSE coalesce(s.max_in_flight, p.default_window) END AS size) w
      ORDER BY p.ord) r;
    EXIT WHEN v_due IS NULL OR v_pass = 2;
    -- As many as this batch could use; the rest is the sweep's.
    PERFORM :schema.reclaim_of(v_due, v_now, p_quarantine_ms, p_release,
      (SELECT max(n.need) FROM unnest(p_needs) AS n (need)));
    PERFORM :schema.walk_closed_ranges(s.submitter, s.need, s.default_window, v_now)
    FROM unnest(p_submitters, p_needs, p_windows) AS s (submitter, need, default_window)
    WHERE s.submitter = ANY (v_due);
  END LOOP;

  SELECT array_agg(c.sub ORDER BY c.sub, c.nonce),
    array_agg(c.rank ORDER BY c.sub, c.nonce),
    array_agg(c.nonce ORDER BY c.sub, c.nonce),
    array_agg(c.source ORDER BY c.sub, c.nonce),
    array_agg(c.hashes ORDER BY c.sub, c.nonce)
  INTO c_sub, c_rank, c_nonce, c_source, c_hashes
  FROM (
    SELECT s.sub::integer, a.nonce, a.source, a.hashes,
      row_number() OVER (PARTITION BY s.sub ORDER BY a.nonce)::integer - 1 AS rank
    FROM unnest(p_submitters, v_gen, v_floor, p_needs, v_foreign) WITH ORDINALITY
      AS s (submitter, gen, floor, need, is_foreign, sub)
    CROSS JOIN LATERAL (
      SELECT a.nonce,
        CASE WHEN a.stage = 'QUARANTINED' THEN 'replacement' ELSE 'recycled' END AS source,
        array_to_string(a.hashes, ',') AS hashes
      FROM :schema.submitter_nonce_allocation a
      WHERE a.submitter = s.submitter AND a.chain_generation = s.gen
        AND a.stage IN ('REUSABLE', 'QUARANTINED')
        AND a.nonce >= s.floor
        AND (a.stage = 'REUSABLE' OR a.release_at <= v_now)
      ORDER BY a.nonce
      LIMIT s.need
      FOR UPDATE SKIP LOCKED) a
    WHERE NOT s.is_foreign) c;

  IF true = ANY (p_strict) THEN
    -- The first nonce that no node has taken: nothing above it is issued, and it alone if it is free.
    SELECT array_agg(CASE
        WHEN NOT t.strict THEN t.room
        WHEN t.waits IS NOT NULL OR t.sub = ANY (c_sub) THEN 0
        ELSE least(t.room, 1) END ORDER BY t.sub)
    INTO v_room
    FROM (
      SELECT s.sub::integer, s.strict, s.room, CASE WHEN s.strict THEN (
        SELECT min(a.nonce) FROM :schema.submitter_nonce_allocation a
        WHERE a.submitter = s.submitter AND a.chain_generation = s.gen AND a.nonce >= s.floor
          AND a.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
          AND a.stage IN ('GRANTED', 'INTENT', 'QUARANTINED', 'BURNING')) END AS waits
      FROM unnest(p_submitters, v_gen, v_floor, v_room, p_strict) WITH ORDINALITY
        AS s (submitter, gen, floor, room, strict, sub)) t;
    SELECT array_agg(c.sub ORDER BY c.pos), array_agg(c.rank ORDER BY c.pos),
      array_agg(c.nonce ORDER BY c.pos), array_agg(c.source ORDER BY c.pos),
      array_agg(c.hashes ORDER BY c.pos)
    INTO c_sub, c_rank, c_nonce, c_source, c_hashes
    FROM unnest(c_sub, c_rank, c_nonce, c_source, c_hashes) WITH ORDINALITY
      AS c (sub, rank, nonce, source, hashes, pos)
    WHERE NOT p_strict[c.sub] OR (c.rank = 0 AND NOT EXISTS (
      SELECT 1 FROM :schema.submitter_nonce_allocation a
      WHERE a.submitter = p_submitters[c.sub] AND a.chain_generation = v_gen[c.sub]
        AND a.nonce >= v_floor[c.sub] AND a.nonce < c.nonce
        AND a.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
        AND a.stage IN ('GRANTED', 'INTENT', 'QUARANTINED', 'BURNING')));
  END IF;

  v_reissued := array_fill(0, ARRAY[cardinality(p_submitters)]);
  IF c_sub IS NOT NULL THEN
    FOREACH v_sub IN ARRAY c_sub LOOP
      v_reissued[v_sub] := v_reissued[v_sub] + 1;
    END LOOP;
  END IF;

  v_simple := p_request_operation IS NULL AND NOT p_retry
    AND NOT (false = ANY (v_found)) AND NOT (true = ANY (v_paused)) AND NOT (true = ANY (v_foreign))
    AND (SELECT bool_and(n.need <= n.reissued + n.room AND n.next + n.need <= 9007199254740991)
         FROM unnest(p_needs, v_reissued, v_room, v_next) AS n (need, reissued, room, next));

  IF NOT v_simple THEN
    v_taken := array_fill(0, ARRAY[cardinality(p_submitters)]);
    FOR i IN 1..cardinality(p_request_submitter) LOOP
      v_sub := p_request_submitter[i];
      v_verdict := NULL;
      v_ids := NULL;
      v_settled := NULL;
      IF NOT v_found[v_sub] THEN
        v_verdict := CASE WHEN EXISTS (
          SELECT 1 FROM :schema.submitter_nonce_state s WHERE s.submitter = p_submitters[v_sub])
          THEN 'contended' ELSE 'absent' END;
      ELSIF p_retry AND EXISTS (
        SELECT 1 FROM :schema.submitter_nonce_allocation a WHERE a.id = p_slot_ids[v_first]) THEN
        v_verdict := 'replayed';
        v_ids := p_slot_ids[v_first : v_first + p_request_count[i] - 1];
      ELSIF p_retry AND EXISTS (
        SELECT 1 FROM :schema.allocation_grant g WHERE g.id = p_slot_ids[v_first]) THEN
        v_verdict := 'NONCE_STORE_UNAVAILABLE';
      ELSIF p_request_operation[i] IS NOT NULL THEN
        IF v_sub || ':' || p_request_operation[i] = ANY (v_seen) THEN
          v_verdict := 'contended';
        ELSE
          v_seen := v_seen || (v_sub || ':' || p_request_operation[i]);
          SELECT r.verdict, r.ids, r.settled INTO v_verdict, v_ids, v_settled
          FROM :schema.resolve_operation(
            p_submitters[v_sub], p_request_operation[i], p_request_hash[i], p_request_count[i]) r;
          v_verdict := CASE v_verdict
            WHEN 'replay' THEN 'replayed'
            WHEN 'settled' THEN 'settled'
            WHEN 'contended' THEN 'contended'
            WHEN 'reused' THEN 'NONCE_IDEMPOTENCY_REUSED'
            WHEN 'unknown' THEN 'NONCE_OUTCOME_UNKNOWN' END;
          IF v_verdict = 'replayed' AND NOT :schema.share_allocations(
            v_ids, p_request_exposure[i]:::schema.allocation_exposure) THEN
            v_verdict := 'contended';
          END IF;
        END IF;
      END IF;
      IF v_verdict IS NULL THEN
        v_verdict := CASE
          WHEN v_foreign[v_sub] THEN 'NONCE_MODE_SWITCHING'
          WHEN v_reset[v_sub] THEN 'NONCE_CHAIN_RESET'
          WHEN v_paused[v_sub] THEN 'NONCE_PAUSED'
          WHEN v_taken[v_sub] + p_request_count[i] > v_reissued[v_sub] + v_room[v_sub]
            THEN 'NONCE_IN_FLIGHT_LIMIT'
          WHEN v_next[v_sub] + v_taken[v_sub] + p_request_count[i] - v_reissued[v_sub]
            > 9007199254740991 THEN 'NONCE_OUT_OF_RANGE'
        END;
      END IF;
      v_eligible[i] := v_verdict IS NULL;
      IF v_verdict IS NULL THEN
        v_taken[v_sub] := v_taken[v_sub] + p_request_count[i];
      ELSIF v_verdict IN ('absent', 'contended', 'replayed', 'settled') THEN
        RETURN QUERY SELECT v_verdict, i, NULL::bigint, NULL::bigint, NULL::double precision,
          coalesce(v_settled::text, array_to_string(v_ids, ','));
      ELSE
        RETURN QUERY SELECT 'refused', i, NULL::bigint,
          v_reissued[v_sub] + v_room[v_sub] - v_taken[v_sub], NULL::double precision, v_verdict;
      END IF;
      v_first := v_first + p_request_count[i];
    END LOOP;

    SELECT array_agg(q.id ORDER BY q.pos), array_agg(q.request ORDER BY q.pos),
      array_agg(q.rank ORDER BY q.pos)
    INTO q_ids, q_request, q_rank
    FROM (
      SELECT s.id, s.request, s.pos, row_number() OVER (
        PARTITION BY p_request_submitter[s.request] ORDER BY s.pos)::integer - 1 AS rank
      FROM unnest(p_slot_ids, p_slot_request) WITH ORDINALITY AS s (id, request, pos)
      WHERE v_eligible[s.request]) q;
  ELSE
    v_taken := p_needs;
  END IF;

  IF c_sub IS NOT NULL AND q_ids IS NOT NULL THEN
    INSERT INTO :schema.allocation_grant (
      id, submitter, chain_generation, nonce, generation, source, ended_stage, operation_id, hashes,
      inherited_hashes, note, granted_at, ended_at)
    SELECT a.id, a.submitter, a.chain_generation, a.nonce, a.generation, a.source, a.stage,
      a.operation_id, a.hashes, a.inherited_hashes, a.note, a.created_at, v_now
    FROM unnest(c_sub, c_rank, c_nonce) AS c (sub, rank, nonce)
    JOIN :schema.submitter_nonce_allocation a
      ON a.submitter = p_submitters[c.sub] AND a.chain_generation = v_gen[c.sub]
        AND a.nonce = c.nonce
    WHERE c.rank < v_taken[c.sub] AND a.generation > 0
    -- A token granted twice by a statement that came late has ended once already; that proves enough.
    ON CONFLICT (id) DO NOTHING;

    UPDATE :schema.submitter_nonce_allocation a
    SET id = g.id,
        stage = 'GRANTED',
        source = g.source:::schema.allocation_source,
        exposure = p_request_exposure[g.request]:::schema.allocation_exposure,
        engine = 'reliable',
        generation = a.generation + 1,
        epoch = v_epoch[g.sub],
        operation_id = p_request_operation[g.request],
        tx_hash = NULL,
        inherited_hashes = coalesce(cardinality(a.hashes), 0),
        shared = false,
        note = NULL,
        metadata = p_request_metadata[g.request]::jsonb,
        deadline = v_now + p_request_ttl_ms[g.request] * interval '1 ms',
        due_at = NULL,
        release_at = NULL,
        stuck_since = NULL,
        created_at = v_now,
        updated_at = v_now
    FROM (
      SELECT q.id, q.request, c.sub, c.nonce, c.source
      FROM unnest(c_sub, c_rank, c_nonce, c_source) AS c (sub, rank, nonce, source)
      JOIN unnest(q_ids, q_request, q_rank) AS q (id, request, rank)
        ON p_request_submitter[q.request] = c.sub AND q.rank = c.rank) g
    WHERE a.submitter = p_submitters[g.sub] AND a.chain_generation = v_gen[g.sub]
      AND a.nonce = g.nonce;

    RETURN QUERY SELECT 'reissued'::text, c.sub, c.nonce, c.rank::bigint, NULL::double precision,
      concat_ws(',', c.source, c.hashes)
    FROM unnest(c_sub, c_rank, c_nonce, c_source, c_hashes) AS c (sub, rank, nonce, source, hashes)
    WHERE c.rank < v_taken[c.sub];
  END IF;

  IF q_ids IS NOT NULL THEN
    INSERT INTO :schema.submitter_nonce_allocation (
      submitter, chain_generation, nonce, id, stage, source, exposure, engine, epoch, operation_id,
      metadata, deadline, created_at, updated_at)
    SELECT p_submitters[q.sub], v_gen[q.sub], v_next[q.sub] + q.rank - v_reissued[q.sub], q.id,
      'GRANTED', 'fresh', p_request_exposure[q.request]:::schema.allocation_exposure, 'reliable',
      v_epoch[q.sub], p_request_operation[q.request], p_request_metadata[q.request]::jsonb,
      v_now + p_request_ttl_ms[q.request] * interval '1 ms', v_now, v_now
    FROM (
      SELECT s.id, s.request, s.rank, p_request_submitter[s.request] AS sub
      FROM unnest(q_ids, q_request, q_rank) AS s (id, request, rank)) q
    WHERE q.rank >= v_reissued[q.sub];

    UPDATE :schema.submitter_nonce_state s
    SET next_local_nonce = n.next + n.fresh,
        ceiling = greatest(s.ceiling, n.next + n.fresh),
        reclaim_at = least(s.reclaim_at, v_now + n.ttl_ms * interval '1 ms'),
        updated_at = v_now
    FROM (
      SELECT t.submitter, t.next, greatest(0, t.taken - t.reissued) AS fresh, t.ttl_ms
      FROM unnest(p_submitters, v_next, v_taken, v_reissued, p_min_ttl_ms)
        AS t (submitter, next, taken, reissued, ttl_ms)
      WHERE t.taken > 0) n
    WHERE s.submitter = n.submitter;

    IF p_request_operation IS NOT NULL THEN
      INSERT INTO :schema.operation AS o (
        submitter, operation_id, first_nonce, count, ids, nonces, request_hash, created_at,
        updated_at)
      SELECT a.submitter, a.operation_id, min(a.nonce), count(*)::integer,
        array_agg(a.id ORDER BY a.nonce), array_agg(a.nonce ORDER BY a.nonce),
        min(p_request_hash[q.request]), v_now, v_now
      FROM unnest(q_ids, q_request) AS q (id, request)
      -- LIMIT keeps this a look-up by id: with the grouping in view, plans made while the table was
      -- empty read it in the order of its key, once per id.
      CROSS JOIN LATERAL (
        SELECT k.id, k.submitter, k.operation_id, k.nonce
        FROM :schema.submitter_nonce_allocation k WHERE k.id = q.id LIMIT 1) a
      WHERE p_request_operation[q.request] IS NOT NULL
      GROUP BY a.submitter, a.operation_id
      ON CONFLICT (submitter, operation_id) DO UPDATE
      SET first_nonce = excluded.first_nonce, count = excluded.count, ids = excluded.ids,
          nonces = excluded.nonces, request_hash = excluded.request_hash, settled = NULL,
          updated_at = v_now;
    END IF;

    RETURN QUERY SELECT 'submitter'::text, t.ord::integer, t.next, t.epoch,
      extract(epoch FROM v_now)::double precision * 1000, NULL::text
    FROM unnest(v_next, v_epoch, v_taken) WITH ORDINALITY AS t (next, epoch, taken, ord)
    WHERE t.taken > 0;
  END IF;
END $$;` },
    { name: 'align-submitter.sql', text: `-- Moves the floors of one submitter to what the chain showed, and settles by count what may be
-- settled by count. The only writer of floors; everything happens under the lock of the state row.
--
-- Guarantee: a lower count changes nothing; the finalized floor never falls and never passes the
-- latest one; a row with a recorded hash is never settled here.
-- Beside a fast epoch that rules: reports about its grants may still be queued, so they are not
-- judged by the count; and only what lies beyond its ceiling is foreign.
-- Replies one row, or none for a submitter that has no state:
-- \`p_block_*\` name the block at which the latest count was read: the raise of the floor is remembered
-- with it, so that a proven reorg of that block can take it back (lower_floor). \`p_deep\` is the height
-- below which no block is undone. \`p_delegated\` null = it was not asked whether the account delegates.
--   verdict     aligned | reset (another genesis: nothing moved, the submitter issues no more)
--   foreign_use fresh nonces skipped because somebody else used the account
--   fenced      unsent holders at finally consumed nonces
--   finalized   assertions that became FINAL by count
--   stuck       rows that may have been sent without a hash and now need a decision
--   lowered     by how much the observed count was below the known one
DROP FUNCTION IF EXISTS :schema.align_submitter(text, bigint, bigint, text, integer);
CREATE OR REPLACE FUNCTION :schema.align_submitter(
  p_submitter text,
  p_latest    bigint,
  p_finalized bigint,
  p_genesis   text,
  p_limit     integer,
  p_block_number bigint DEFAULT NULL,
  p_block_hash   text DEFAULT NULL,
  p_deep         bigint DEFAULT NULL,
  p_delegated    boolean DEFAULT NULL
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
  v_nonces bigint[];
  v_verdicts text[];
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
        reset_seen_at = coalesce(s.reset_seen_at, v_now),
        reset_genesis = p_genesis,
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
      reset_seen_at = NULL,
      reset_genesis = NULL,
      delegated_at = CASE WHEN p_delegated THEN coalesce(s.delegated_at, v_now)
        WHEN p_delegated IS NULL THEN s.delegated_at END,
      aligned_at = v_now,
      updated_at = v_now
  WHERE s.submitter = p_submitter;
  IF p_block_number IS NOT NULL AND v_latest > v_state.chain_latest_count THEN
    DELETE FROM :schema.floor_raise r
    WHERE r.submitter = p_submitter AND (r.chain_generation <> v_state.chain_generation
      OR r.block_number <= p_deep OR r.count <= v_final
      OR r.count <= (
        SELECT o.count FROM :schema.floor_raise o
        WHERE o.submitter = p_submitter AND o.chain_generation = v_state.chain_generation
        ORDER BY o.count DESC OFFSET 62 LIMIT 1));
    INSERT INTO :schema.floor_raise (
      submitter, chain_generation, count, previous_count, block_number, block_hash, seen_at)
    VALUES (p_submitter, v_state.chain_generation, v_latest, v_state.chain_latest_count,
      p_block_number, p_block_hash, v_now)
    ON CONFLICT (submitter, chain_generation, count) DO NOTHING;
  END IF;

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
  )
  SELECT array_agg(c.nonce), array_agg(l.verdict) INTO v_nonces, v_verdicts
  -- One by one, and updated by the place at which they were locked: see record_grants.
  FROM (SELECT DISTINCT candidate.nonce FROM candidate ORDER BY candidate.nonce) c
  CROSS JOIN LATERAL (
    SELECT
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
      AND a.nonce = c.nonce
    LIMIT 1
    FOR UPDATE) l
  WHERE l.verdict IS NOT NULL;

  WITH moved AS (
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
    FROM unnest(v_nonces, v_verdicts) AS l (nonce, verdict)
    CROSS JOIN LATERAL (
      SELECT k.ctid FROM :schema.submitter_nonce_allocation k
      WHERE k.submitter = p_submitter AND k.chain_generation = v_state.chain_generation
        AND k.nonce = l.nonce
      LIMIT 1) place
    WHERE a.ctid = place.ctid
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

-- What align_submitter would reply and do, done and undone: nothing stays, and nobody else sees it.
-- It takes the lock of the state row for as long as an alignment does.
CREATE OR REPLACE FUNCTION :schema.foresee_alignment(
  p_submitter text,
  p_latest    bigint,
  p_finalized bigint,
  p_genesis   text,
  p_limit     integer,
  p_block_number bigint,
  p_block_hash   text,
  p_deep         bigint,
  p_delegated    boolean
) RETURNS TABLE (
  verdict text, known_genesis text, chain_latest bigint, last_chain_nonce bigint,
  foreign_use bigint, fenced bigint, finalized bigint, stuck bigint, lowered bigint
) LANGUAGE plpgsql
AS $$
DECLARE
  v_report record;
BEGIN
  BEGIN
    SELECT * INTO v_report FROM :schema.align_submitter(p_submitter, p_latest, p_finalized, p_genesis,
      p_limit, p_block_number, p_block_hash, p_deep, p_delegated);
    -- Ends the inner block, and with it all that was written there; variables keep their values.
    RAISE EXCEPTION USING ERRCODE = 'NK002';
  EXCEPTION WHEN SQLSTATE 'NK002' THEN
    NULL;
  END;
  IF v_report.verdict IS NOT NULL THEN
    RETURN QUERY SELECT v_report.verdict, v_report.known_genesis, v_report.chain_latest,
      v_report.last_chain_nonce, v_report.foreign_use, v_report.fenced, v_report.finalized,
      v_report.stuck, v_report.lowered;
  END IF;
END $$;` },
    { name: 'lower-floor.sql', text: `-- Takes back raises of the issuing floor whose blocks were proven to be replaced.
--
-- Guarantee: the floor falls from the one the asker saw, by whole remembered raises, never below the
-- finalized count nor below what was known before the first of them; numbers that this makes issuable
-- and that have no row were skipped, not issued, and become REUSABLE rows, so that they are issued
-- before any fresh one. Where rows may have been forgotten (a relaxed epoch, a recovery) they are
-- quarantined instead. Beside a fast epoch that rules nothing is done: its store knows the old floor.
-- \`p_replaced\` are the counts of the raises that are taken back.
-- Replies one row, or none for a submitter without a state: verdict \`lowered\` | \`stale\` (the floor is
-- another by now, or not all raises above the count are proven) | \`fast\` | \`final\`; the floor now,
-- and how many skipped numbers became rows.
CREATE OR REPLACE FUNCTION :schema.lower_floor(
  p_submitter     text,
  p_seen          bigint,
  p_to            bigint,
  p_replaced      bigint[],
  p_limit         integer,
  p_quarantine_ms integer,
  p_release       text
) RETURNS TABLE (verdict text, chain_latest bigint, reopened bigint) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_state :schema.submitter_nonce_state%ROWTYPE;
  v_now timestamptz;
  v_to bigint;
  v_unsure boolean;
  v_reopened bigint := 0;
BEGIN
  SELECT * INTO v_state FROM :schema.submitter_nonce_state s
  WHERE s.submitter = p_submitter FOR UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  v_now := clock_timestamp();
  SELECT greatest(p_to, min(r.previous_count)) INTO v_to FROM :schema.floor_raise r
  WHERE r.submitter = p_submitter AND r.chain_generation = v_state.chain_generation
    AND r.count = ANY (p_replaced);
  IF v_state.chain_latest_count IS DISTINCT FROM p_seen OR v_state.reset_seen_at IS NOT NULL
    OR v_to IS NULL OR v_to >= p_seen OR p_seen <> ALL (p_replaced) OR EXISTS (
      SELECT 1 FROM :schema.floor_raise r
      WHERE r.submitter = p_submitter AND r.chain_generation = v_state.chain_generation
        AND r.count > v_to AND r.count <> ALL (p_replaced)) THEN
    RETURN QUERY SELECT 'stale'::text, v_state.chain_latest_count, 0::bigint;
    RETURN;
  END IF;
  IF v_state.engine <> 'reliable' THEN
    RETURN QUERY SELECT 'fast'::text, v_state.chain_latest_count, 0::bigint;
    RETURN;
  END IF;
  -- A foreign wallet may have gone on far ahead: one statement makes a bounded number of rows.
  IF v_to < v_state.chain_finalized_count OR p_seen - v_to > p_limit THEN
    RETURN QUERY SELECT 'final'::text, v_state.chain_latest_count, 0::bigint;
    RETURN;
  END IF;
  v_unsure := v_state.recovery_epoch IS NOT NULL OR EXISTS (
    SELECT 1 FROM :schema.epoch_log l
    WHERE l.submitter = p_submitter AND l.intents = 'relaxed' AND l.base < p_seen
      AND coalesce(l.ceiling, p_seen) > v_to);
  INSERT INTO :schema.submitter_nonce_allocation (
    submitter, chain_generation, nonce, id, stage, source, exposure, engine, generation, epoch,
    shared, note, due_at, release_at, created_at, updated_at)
  SELECT p_submitter, v_state.chain_generation, n, gen_random_uuid(),
    CASE WHEN v_unsure THEN 'QUARANTINED' ELSE 'REUSABLE' END:::schema.allocation_stage, 'fresh',
    CASE WHEN v_unsure THEN 'assumed' ELSE 'declared' END:::schema.allocation_exposure,
    v_state.engine, CASE WHEN v_unsure THEN 1 ELSE 0 END, v_state.epoch, v_unsure,
    'skipped, and its block was replaced',
    CASE WHEN v_unsure THEN v_now + p_quarantine_ms / 2 * interval '1 ms' END,
    CASE WHEN v_unsure AND p_release = 'replacement'
      THEN v_now + p_quarantine_ms * interval '1 ms' END,
    v_now, v_now
  FROM generate_series(v_to, least(p_seen, v_state.next_local_nonce) - 1) AS n
  ON CONFLICT (submitter, chain_generation, nonce) DO NOTHING;
  GET DIAGNOSTICS v_reopened = ROW_COUNT;
  DELETE FROM :schema.floor_raise r
  WHERE r.submitter = p_submitter AND r.chain_generation = v_state.chain_generation
    AND r.count = ANY (p_replaced);
  UPDATE :schema.submitter_nonce_state s
  SET chain_latest_count = v_to, updated_at = v_now
  WHERE s.submitter = p_submitter;
  RETURN QUERY SELECT 'lowered'::text, v_to, v_reopened;
END $$;` },
    { name: 'rebaseline-submitter.sql', text: `-- Starts a new chain generation of a submitter whose chain was reset.
--
-- Guarantee: only while the chain's genesis differs from the remembered one, and never beside a fast
-- epoch that rules, whose store would go on with nonces of the old chain. Nonces start at the count
-- of the new chain; what its pool holds starts in quarantine. Rows of the old generation stay, and
-- their holders are fenced; an operation that was never exposed gets a nonce again, one that may have
-- been sent keeps its answer. The ceiling stays, because witnesses know it: what lies between the
-- counter and it is issued like any other fresh nonce.
-- Replies one row, or none for a submitter without a state: verdict \`rebaselined\` | \`possible\` (dry
-- run) | \`unchanged\` | \`fast\`; the generation and epoch after it, the first nonce, and how many rows
-- of the old generation are still open (\`kept\`: may have been sent; \`ended\`: never exposed).
CREATE OR REPLACE FUNCTION :schema.rebaseline_submitter(
  p_submitter     text,
  p_genesis       text,
  p_start         bigint,
  p_pending       bigint,
  p_latest        bigint,
  p_finalized     bigint,
  p_reason        text,
  p_dry_run       boolean,
  p_quarantine_ms integer,
  p_release       text
) RETURNS TABLE (
  verdict text, known_genesis text, generation integer, epoch bigint, next_nonce bigint,
  kept bigint, ended bigint
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_old :schema.submitter_nonce_state%ROWTYPE;
  v_now timestamptz;
  v_next bigint := greatest(p_start, p_pending);
  v_kept bigint;
  v_ended bigint;
BEGIN
  SELECT * INTO v_old FROM :schema.submitter_nonce_state s
  WHERE s.submitter = p_submitter FOR UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  v_now := clock_timestamp();
  SELECT count(*) FILTER (WHERE NOT o.clean), count(*) FILTER (WHERE o.clean) INTO v_kept, v_ended
  FROM (
    SELECT a.stage = 'REUSABLE' OR (a.stage = 'GRANTED' AND a.exposure = 'declared'
      AND a.source <> 'replacement' AND NOT a.shared) AS clean
    FROM :schema.submitter_nonce_allocation a
    WHERE a.submitter = p_submitter AND a.chain_generation = v_old.chain_generation
      AND a.stage NOT IN ('FINAL', 'BURNT', 'CONSUMED_EXTERNAL')) o;
  IF v_old.genesis_hash IS NULL OR v_old.genesis_hash = p_genesis
    OR v_old.engine <> 'reliable' OR p_dry_run THEN
    RETURN QUERY SELECT CASE
        WHEN v_old.genesis_hash IS NULL OR v_old.genesis_hash = p_genesis THEN 'unchanged'
        WHEN v_old.engine <> 'reliable' THEN 'fast'
        ELSE 'possible' END,
      v_old.genesis_hash, v_old.chain_generation + 1, v_old.epoch + 1, v_next, v_kept, v_ended;
    RETURN;
  END IF;

  UPDATE :schema.submitter_nonce_allocation a
  SET stage = CASE
        WHEN a.stage = 'REUSABLE' OR (a.stage = 'GRANTED' AND a.exposure = 'declared'
          AND a.source <> 'replacement' AND NOT a.shared) THEN 'CONSUMED_EXTERNAL'
        WHEN a.stage = 'GRANTED' THEN 'QUARANTINED'
        ELSE a.stage::text END:::schema.allocation_stage,
      superseded = true,
      loaded_epoch = NULL,
      deadline = NULL,
      due_at = NULL,
      release_at = NULL,
      stuck_since = NULL,
      note = CASE WHEN a.stage IN ('REUSABLE', 'GRANTED') THEN 'the chain was reset' ELSE a.note END,
      updated_at = v_now
  FROM (
    SELECT k.nonce FROM :schema.submitter_nonce_allocation k
    WHERE k.submitter = p_submitter AND k.chain_generation = v_old.chain_generation
    ORDER BY k.nonce FOR UPDATE) l
  WHERE a.submitter = p_submitter AND a.chain_generation = v_old.chain_generation
    AND a.nonce = l.nonce;

  UPDATE :schema.epoch_log l SET ceiling = v_old.ceiling, closed_at = v_now
  WHERE l.submitter = p_submitter AND l.epoch = v_old.epoch;
  INSERT INTO :schema.epoch_log (submitter, epoch, engine, base, intents, reason)
  VALUES (p_submitter, v_old.epoch + 1, 'reliable', p_start, 'strict',
    left('re-baselined: ' || p_reason, 500));
  UPDATE :schema.submitter_nonce_state s
  SET epoch = v_old.epoch + 1,
      chain_generation = v_old.chain_generation + 1,
      generation_epoch = v_old.epoch + 1,
      genesis_hash = p_genesis,
      incarnation = NULL,
      base = p_start,
      next_local_nonce = v_next,
      ceiling = greatest(v_old.ceiling, v_next),
      walk_cursor = 0,
      walk_end = 0,
      chain_latest_count = p_latest,
      chain_finalized_count = p_finalized,
      reset_seen_at = NULL,
      reset_genesis = NULL,
      paused_at = CASE WHEN s.paused_reason LIKE 'chain reset:%' THEN NULL ELSE s.paused_at END,
      paused_reason = CASE WHEN s.paused_reason LIKE 'chain reset:%' THEN NULL
        ELSE s.paused_reason END,
      recovery_since = NULL,
      recovery_reason = NULL,
      recovery_cursor = NULL,
      aligned_at = v_now,
      updated_at = v_now
  WHERE s.submitter = p_submitter;
  DELETE FROM :schema.floor_raise r WHERE r.submitter = p_submitter;
  INSERT INTO :schema.submitter_nonce_allocation (
    submitter, chain_generation, nonce, id, stage, source, exposure, engine, generation, epoch,
    note, due_at, release_at, created_at, updated_at)
  SELECT p_submitter, v_old.chain_generation + 1, n, gen_random_uuid(), 'QUARANTINED', 'fresh',
    'assumed', 'reliable', 0, v_old.epoch + 1, 'in a pool before first use',
    v_now + p_quarantine_ms / 2 * interval '1 ms',
    CASE WHEN p_release = 'replacement' THEN v_now + p_quarantine_ms * interval '1 ms' END,
    v_now, v_now
  FROM generate_series(p_start, v_next - 1) AS n;
  RETURN QUERY SELECT 'rebaselined'::text, v_old.genesis_hash, v_old.chain_generation + 1,
    v_old.epoch + 1, v_next, v_kept, v_ended;
END $$;` },
    { name: 'tracking.sql', text: `-- Work of the tracker, found by scanning rows: losing every timer and process loses nothing.

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
END $$;` },
    { name: 'heads.sql', text: `-- Steps of the followed heads.

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
END $$;` },
    { name: 'modes.sql', text: `-- Which engine is entitled to issue, and how that changes.

-- What the mode says about one submitter: \`epoch\` null = no mode was ever set. DRAIN and DEGRADED
-- take also those from their fast store that are pinned to it. The twin of engineOf in the program.
CREATE OR REPLACE FUNCTION :schema.mode_of(
  p_submitter text,
  OUT epoch   bigint,
  OUT is_fast boolean
) LANGUAGE sql STABLE
SET enable_seqscan = off
AS $$
  SELECT m.epoch,
    m.mode NOT IN ('DRAIN', 'DEGRADED') AND coalesce((
      SELECT s.pinned_mode FROM :schema.submitter_nonce_state s
      WHERE s.submitter = p_submitter), m.mode) = 'PERFORMANCE'
  FROM :schema.engine_mode m
$$;

-- Whether a fast epoch may be entered or raised by somebody who knows the mode of that epoch; null
-- leaves the epoch out. It is read without a lock, because a switch must wait for nobody: whoever
-- overlaps with one enters an epoch that its shard's mark refuses, and that is left at first touch.
CREATE OR REPLACE FUNCTION :schema.may_enter_fast(p_submitter text, p_mode_epoch bigint)
RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (SELECT m.is_fast AND m.epoch = coalesce(p_mode_epoch, m.epoch)
     FROM :schema.mode_of(p_submitter) m WHERE m.epoch IS NOT NULL),
    p_mode_epoch IS NULL)
$$;

-- All that nodes ask several times a second, by one call that reads the mode's row, the running
-- switch and one entry of the index of fast epochs; and the pins of submitters, unless the asker has
-- those of this version (then null): a thousand of them cost eight times as much as all the rest.
CREATE OR REPLACE FUNCTION :schema.mode_snapshot(p_max_pins integer, p_known_pins uuid)
RETURNS TABLE (
  mode text, epoch bigint, since_ms double precision, age_ms double precision, actor text,
  reason text, pinned boolean, return_to text, dwell_ms integer, prefetch_size integer, prefetch_low_water integer,
  prefetch_max integer, running_switch bigint, pins_version uuid, pins json,
  fast_epochs boolean
) LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
BEGIN
  RETURN QUERY
  SELECT m.mode, m.epoch, extract(epoch FROM m.since)::double precision * 1000,
    extract(epoch FROM clock_timestamp() - m.since)::double precision * 1000, m.actor, m.reason,
    m.pinned, m.return_to, m.dwell_ms, m.prefetch_size, m.prefetch_low_water, m.prefetch_max,
    (SELECT w.id FROM :schema.mode_switch w WHERE w.state = 'running'),
    m.pins_version,
    CASE WHEN m.pins_version IS DISTINCT FROM p_known_pins THEN (
      SELECT coalesce(json_object_agg(p.submitter, p.pinned_mode), '{}') FROM (
        SELECT s.submitter, s.pinned_mode FROM :schema.submitter_nonce_state s
        WHERE s.pinned_mode IS NOT NULL
        ORDER BY s.submitter LIMIT p_max_pins) p) END,
    EXISTS (
      SELECT 1 FROM :schema.submitter_nonce_state s
      WHERE s.engine = 'performance' AND s.incarnation IS NOT NULL)
  FROM :schema.engine_mode m;
END $$;

-- A switch of the mode: one winner per epoch seen. A switch that still runs ends as aborted. Replies
-- the new switch, or no row when another one was faster.
CREATE OR REPLACE FUNCTION :schema.switch_mode(
  p_seen_epoch bigint,
  p_to         text,
  p_actor      text,
  p_reason     text,
  p_automatic  boolean,
  p_pinned     boolean,
  p_return_to  text,
  p_dwell_ms   integer,
  p_runner     text,
  p_phases     jsonb
) RETURNS SETOF :schema.mode_switch LANGUAGE plpgsql AS $$
DECLARE
  v_old :schema.engine_mode%ROWTYPE;
  v_switch :schema.mode_switch%ROWTYPE;
  v_now timestamptz;
BEGIN
  SELECT * INTO v_old FROM :schema.engine_mode m FOR UPDATE;
  IF NOT FOUND OR v_old.epoch <> p_seen_epoch THEN
    RETURN;
  END IF;
  v_now := clock_timestamp();
  UPDATE :schema.engine_mode m
  SET mode = p_to, epoch = v_old.epoch + 1, since = v_now, actor = p_actor, reason = p_reason,
      pinned = p_pinned, return_to = p_return_to, dwell_ms = p_dwell_ms;
  UPDATE :schema.mode_switch w SET state = 'aborted', ended_at = v_now, waits_for = NULL
  WHERE w.state = 'running';
  INSERT INTO :schema.mode_switch AS w (
    from_mode, to_mode, epoch, actor, reason, automatic, runner, heartbeat_at, started_at, phases)
  VALUES (v_old.mode, p_to, v_old.epoch + 1, p_actor, p_reason, p_automatic, p_runner, v_now, v_now,
    p_phases)
  RETURNING * INTO v_switch;
  INSERT INTO :schema.audit (at, actor, action, subject, reason, detail)
  VALUES (v_now, p_actor, 'mode.switch', p_to, p_reason, jsonb_build_object('switch', v_switch.id,
    'from', v_old.mode, 'to', p_to, 'epoch', v_switch.epoch, 'automatic', p_automatic,
    'pinned', p_pinned));
  RETURN NEXT v_switch;
END $$;

-- Lets one submitter follow another mode, or with null the common one again. Replies \`done\`,
-- \`absent\`, or \`full\` when as many as \`p_max_pins\` are pinned: every node reads all of them.
CREATE OR REPLACE FUNCTION :schema.pin_submitter(
  p_submitter text,
  p_mode      text,
  p_actor     text,
  p_max_pins  integer
) RETURNS text LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  v_before text;
BEGIN
  SELECT s.pinned_mode INTO v_before FROM :schema.submitter_nonce_state s
  WHERE s.submitter = p_submitter FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 'absent';
  END IF;
  IF p_mode IS NOT NULL AND v_before IS NULL AND p_max_pins <= (
    SELECT count(*) FROM :schema.submitter_nonce_state s WHERE s.pinned_mode IS NOT NULL) THEN
    RETURN 'full';
  END IF;
  UPDATE :schema.submitter_nonce_state s
  SET pinned_mode = p_mode, updated_at = clock_timestamp()
  WHERE s.submitter = p_submitter;
  UPDATE :schema.engine_mode m SET pins_version = gen_random_uuid();
  INSERT INTO :schema.audit (actor, action, subject, reason, detail)
  VALUES (p_actor, 'mode.pin', p_submitter, coalesce('pinned to ' || p_mode, 'follows the mode'),
    jsonb_build_object('from', v_before, 'to', p_mode));
  RETURN 'done';
END $$;

-- Grants of fast epochs that nobody has settled, as far as their events have come; at most \`p_most\`.
CREATE OR REPLACE FUNCTION :schema.count_fast_grants(p_most integer) RETURNS bigint
LANGUAGE sql STABLE
SET enable_seqscan = off
AS $$
  SELECT count(*) FROM (
    SELECT 1 FROM :schema.submitter_nonce_allocation a
    WHERE a.stage = 'GRANTED' AND a.engine = 'performance'
    LIMIT p_most) held
$$;

-- Fast epochs that rule; at most \`p_most\`.
CREATE OR REPLACE FUNCTION :schema.count_fast_epochs(p_most integer) RETURNS bigint
LANGUAGE sql STABLE
SET enable_seqscan = off
AS $$
  SELECT count(*) FROM (
    SELECT 1 FROM :schema.submitter_nonce_state s
    WHERE s.engine = 'performance' AND s.incarnation IS NOT NULL
    LIMIT p_most) ruling
$$;` },
    { name: 'fast-epochs.sql', text: `-- Epochs of fast engines: who may issue which range. Callers hold the lock of the state row.

-- Whether nothing was written to Postgres before a send in this epoch: its store alone knew who held
-- a nonce, and what it granted anew had been given back to it.
CREATE OR REPLACE FUNCTION :schema.is_relaxed(p_submitter text, p_epoch bigint) RETURNS boolean
LANGUAGE sql STABLE
SET enable_seqscan = off
AS $$
  SELECT EXISTS (
    SELECT 1 FROM :schema.epoch_log l
    WHERE l.submitter = p_submitter AND l.epoch = p_epoch AND l.intents = 'relaxed')
$$;

-- A change of authority: one winner per epoch seen. The new epoch starts at the old ceiling.
-- A strict epoch, or one whose store ended it at \`p_retired_next\`, leaves what has no row to the
-- walk: it was never exposed. A relaxed epoch that was cut off leaves everything without a verdict
-- in quarantine, also what its store was handed as free: it may have been granted and sent since.
-- The facts of a store that ended a relaxed epoch are rows before this is called; what it issued and
-- has no row all the same waits in quarantine for whoever may have heard of it.
DROP FUNCTION IF EXISTS :schema.change_epoch(
  text, bigint, :schema.engine_name, text, integer, text, text);
CREATE OR REPLACE FUNCTION :schema.change_epoch(
  p_submitter     text,
  p_seen_epoch    bigint,
  p_engine        :schema.engine_name,
  p_incarnation   text,
  p_raise         integer,
  p_intents       text,
  p_reason        text,
  p_retired_next  bigint DEFAULT NULL,
  p_quarantine_ms integer DEFAULT 30000,
  p_release       text DEFAULT 'replacement'
) RETURNS bigint LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_old :schema.submitter_nonce_state%ROWTYPE;
  v_now timestamptz;
  v_intents text;
  v_walk boolean;
BEGIN
  SELECT * INTO v_old FROM :schema.submitter_nonce_state s
  WHERE s.submitter = p_submitter FOR UPDATE;
  IF NOT FOUND OR v_old.epoch <> p_seen_epoch THEN
    RETURN NULL;
  END IF;
  v_now := clock_timestamp();
  SELECT l.intents INTO v_intents FROM :schema.epoch_log l
  WHERE l.submitter = p_submitter AND l.epoch = v_old.epoch;
  v_walk := coalesce(v_intents = 'strict', false) OR p_retired_next IS NOT NULL
    -- Postgres itself issued, or no store was ever told of this epoch.
    OR v_old.engine = 'reliable' OR (v_old.engine = 'performance' AND v_old.incarnation IS NULL);
  IF NOT v_walk THEN
    PERFORM :schema.quarantine_cut_off(p_submitter, v_now, p_quarantine_ms, p_release);
  ELSIF v_intents = 'relaxed' AND p_retired_next IS NOT NULL THEN
    -- Below the count of the chain nothing is walked, and nothing waits for an owner.
    PERFORM :schema.quarantine_unknown(p_submitter, greatest(v_old.base, v_old.chain_latest_count),
      least(p_retired_next, v_old.ceiling), v_now, p_quarantine_ms, p_release);
  END IF;
  UPDATE :schema.epoch_log l
  SET ceiling = v_old.ceiling, closed_at = v_now, retired_next = p_retired_next
  WHERE l.submitter = p_submitter AND l.epoch = v_old.epoch;
  INSERT INTO :schema.epoch_log (submitter, epoch, engine, incarnation, base, intents, reason)
  VALUES (p_submitter, v_old.epoch + 1, p_engine, p_incarnation, v_old.ceiling, p_intents, p_reason);
  UPDATE :schema.submitter_nonce_state s
  SET epoch = v_old.epoch + 1,
      engine = p_engine,
      incarnation = p_incarnation,
      base = v_old.ceiling,
      next_local_nonce = v_old.ceiling,
      ceiling = v_old.ceiling + p_raise,
      walk_cursor = CASE
        WHEN NOT v_walk OR s.walk_cursor < s.walk_end THEN s.walk_cursor
        ELSE greatest(v_old.base, s.walk_cursor) END,
      walk_end = CASE WHEN v_walk THEN v_old.ceiling ELSE s.walk_end END,
      -- From now on the sweep looks after the reservations of the closed epoch.
      reclaim_at = CASE WHEN v_old.engine = 'reliable' THEN s.reclaim_at
        ELSE least(s.reclaim_at, v_now) END,
      updated_at = v_now
  WHERE s.submitter = p_submitter;
  RETURN v_old.epoch + 1;
END $$;

-- The rows of a relaxed epoch that was cut off. A holder nobody knows gets generation 1 of it; the
-- mark \`shared\` keeps a repeated release by an earlier holder from freeing what a later one sent.
CREATE OR REPLACE FUNCTION :schema.quarantine_cut_off(
  p_submitter     text,
  p_now           timestamptz,
  p_quarantine_ms integer,
  p_release       text
) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_state :schema.submitter_nonce_state%ROWTYPE;
  v_due timestamptz := p_now + p_quarantine_ms / 2 * interval '1 ms';
  v_release timestamptz := CASE WHEN p_release = 'replacement'
    THEN p_now + p_quarantine_ms * interval '1 ms' END;
BEGIN
  SELECT * INTO v_state FROM :schema.submitter_nonce_state s WHERE s.submitter = p_submitter;
  WITH undecided AS MATERIALIZED (
    SELECT a.nonce FROM :schema.submitter_nonce_allocation a
    WHERE a.submitter = p_submitter AND a.chain_generation = v_state.chain_generation
      AND (
        (a.stage = 'GRANTED' AND a.engine = v_state.engine AND a.epoch = v_state.epoch)
        OR (a.stage = 'REUSABLE' AND a.loaded_epoch = v_state.epoch)
        OR (a.stage IN ('GRANTED', 'REUSABLE') AND a.nonce >= v_state.base
          AND a.nonce < v_state.ceiling))
    ORDER BY a.nonce
    FOR UPDATE
  )
  UPDATE :schema.submitter_nonce_allocation a
  SET stage = 'QUARANTINED', deadline = NULL, shared = true, due_at = v_due,
      release_at = v_release, note = 'fast store lost', updated_at = p_now
  FROM undecided u
  WHERE a.submitter = p_submitter AND a.chain_generation = v_state.chain_generation
    AND a.nonce = u.nonce;
  PERFORM :schema.quarantine_unknown(p_submitter, v_state.base, v_state.ceiling, p_now,
    p_quarantine_ms, p_release);
END $$;

-- Nonces of the ruling epoch that may have been issued to somebody Postgres never heard of.
CREATE OR REPLACE FUNCTION :schema.quarantine_unknown(
  p_submitter     text,
  p_from          bigint,
  p_to            bigint,
  p_now           timestamptz,
  p_quarantine_ms integer,
  p_release       text
) RETURNS void LANGUAGE sql
SET enable_seqscan = off
AS $$
  INSERT INTO :schema.submitter_nonce_allocation (
    submitter, chain_generation, nonce, id, stage, source, exposure, engine, generation, epoch,
    shared, note, due_at, release_at, created_at, updated_at)
  SELECT s.submitter, s.chain_generation, n, gen_random_uuid(), 'QUARANTINED', 'fresh', 'assumed',
    s.engine, 1, s.epoch, true, 'fast store lost', p_now + p_quarantine_ms / 2 * interval '1 ms',
    CASE WHEN p_release = 'replacement' THEN p_now + p_quarantine_ms * interval '1 ms' END,
    p_now, p_now
  FROM :schema.submitter_nonce_state s
  CROSS JOIN generate_series(p_from, p_to - 1) AS n
  WHERE s.submitter = p_submitter
  ON CONFLICT (submitter, chain_generation, nonce) DO NOTHING
$$;

-- Hands the lowest issuable nonces of earlier holders to the fast store of the ruling epoch, each
-- once per epoch: a second time it may be held there. A batch of them is a loan. What was handed over
-- after \`p_loan_seen\`, the last loan that the store is known to have taken, never reached it and is
-- handed over again; the store takes it only while that is still its last. null = all arrived.
CREATE OR REPLACE FUNCTION :schema.load_free(
  p_submitter      text,
  p_limit          integer,
  p_default_window integer,
  p_quarantine_ms  integer,
  p_release        text,
  p_loan_seen      bigint,
  OUT nonces       bigint[],
  OUT tainted      boolean[],
  OUT more         boolean,
  OUT loan         bigint,
  OUT loan_seen    bigint
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_ids uuid[];
  v_now timestamptz := clock_timestamp();
  v_state :schema.submitter_nonce_state%ROWTYPE;
BEGIN
  SELECT * INTO v_state FROM :schema.submitter_nonce_state s WHERE s.submitter = p_submitter;
  IF v_state.reclaim_at <= v_now THEN
    PERFORM :schema.reclaim_of(ARRAY[p_submitter], v_now, p_quarantine_ms, p_release, p_limit);
  END IF;
  IF v_state.walk_cursor < v_state.walk_end THEN
    PERFORM :schema.walk_closed_ranges(p_submitter, p_limit, p_default_window, v_now);
    SELECT * INTO v_state FROM :schema.submitter_nonce_state s WHERE s.submitter = p_submitter;
  END IF;
  -- Found first and locked then: only a search that locks nothing prefers the index of what may be
  -- issued again to that of all rows, when the plan was made for an empty table.
  WITH found AS MATERIALIZED (
    SELECT a.nonce FROM :schema.submitter_nonce_allocation a
    WHERE a.submitter = p_submitter AND a.chain_generation = v_state.chain_generation
      AND a.stage IN ('REUSABLE', 'QUARANTINED')
      AND a.nonce >= coalesce(v_state.chain_latest_count, 0)
      AND (a.loaded_epoch IS DISTINCT FROM v_state.epoch OR a.loan > p_loan_seen)
      AND (a.stage = 'REUSABLE' OR a.release_at <= v_now)
    ORDER BY a.nonce
    LIMIT p_limit
  )
  SELECT array_agg(a.id), coalesce(array_agg(f.nonce), '{}'), coalesce(array_agg(a.tainted), '{}')
  INTO v_ids, nonces, tainted
  FROM (SELECT found.nonce FROM found ORDER BY found.nonce) f
  CROSS JOIN LATERAL (
    SELECT k.id, k.stage = 'QUARANTINED' AS tainted
    FROM :schema.submitter_nonce_allocation k
    WHERE k.submitter = p_submitter AND k.chain_generation = v_state.chain_generation
      AND k.nonce = f.nonce
      AND (k.stage::text = 'REUSABLE' OR k.stage::text = 'QUARANTINED' AND k.release_at <= v_now)
    LIMIT 1
    FOR UPDATE) a;
  loan_seen := coalesce(p_loan_seen, v_state.loan);
  loan := v_state.loan;
  IF cardinality(nonces) > 0 THEN
    loan := v_state.loan + 1;
    UPDATE :schema.submitter_nonce_allocation a
    -- One that is handed over again keeps the number of its first batch: the store may have had that
    -- one, and granted from it.
    SET loan = CASE WHEN a.loaded_epoch = v_state.epoch THEN a.loan ELSE v_state.loan + 1 END,
      loaded_epoch = v_state.epoch
    WHERE a.id = ANY (v_ids);
    UPDATE :schema.submitter_nonce_state s SET loan = v_state.loan + 1
    WHERE s.submitter = p_submitter;
  END IF;
  more := cardinality(nonces) >= p_limit OR v_state.walk_cursor < least(v_state.walk_end, CASE
    WHEN coalesce(v_state.max_in_flight, p_default_window) = 0
      OR v_state.chain_latest_count IS NULL THEN v_state.walk_end
    ELSE v_state.chain_latest_count + coalesce(v_state.max_in_flight, p_default_window) END);
END $$;

-- What limits a fast epoch beside its ceiling. Under relaxed intents half of the window: that is
-- how many nonces may be in an unknown state when the fast store is lost.
CREATE OR REPLACE FUNCTION :schema.fast_limits(
  p_submitter      text,
  p_default_window integer,
  p_intents        text,
  OUT floor_count  bigint,
  OUT window_end   bigint,
  OUT max_reserved integer,
  OUT reserved     integer,
  OUT paused       boolean
) LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_state :schema.submitter_nonce_state%ROWTYPE;
  v_window integer;
BEGIN
  SELECT * INTO v_state FROM :schema.submitter_nonce_state s WHERE s.submitter = p_submitter;
  v_window := CASE WHEN v_state.delegated_at IS NOT NULL THEN 1
    ELSE coalesce(v_state.max_in_flight, p_default_window) END;
  IF p_intents = 'relaxed' AND v_window > 0 THEN
    v_window := greatest(1, v_window / 2);
  END IF;
  paused := v_state.paused_at IS NOT NULL OR v_state.reset_seen_at IS NOT NULL;
  floor_count := coalesce(v_state.chain_latest_count, 0);
  max_reserved := v_window;
  reserved := 0;
  window_end := CASE
    WHEN v_window = 0 THEN 9007199254740991
    WHEN v_state.chain_latest_count IS NOT NULL THEN v_state.chain_latest_count + v_window END;
  IF window_end IS NULL THEN
    SELECT count(*) INTO reserved FROM (
      SELECT 1 FROM :schema.submitter_nonce_allocation a
      WHERE a.submitter = p_submitter AND a.chain_generation = v_state.chain_generation
        AND a.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
        AND NOT (a.stage = 'GRANTED' AND a.engine = 'performance' AND a.epoch = v_state.epoch)
      LIMIT v_window) open;
  END IF;
END $$;` },
    { name: 'enter-and-refill.sql', text: `-- Entering and refilling fast epochs, many submitters by one statement.

-- How far a ceiling may be raised now: never beyond what the window lets be issued.
CREATE OR REPLACE FUNCTION :schema.raised_ceiling(
  p_ceiling      bigint,
  p_raise        integer,
  p_window_end   bigint,
  p_max_reserved integer
) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT least(9007199254740991, greatest(p_ceiling, least(
    p_ceiling + CASE WHEN p_window_end IS NULL AND p_max_reserved > 0
      THEN least(p_raise, p_max_reserved) ELSE p_raise END,
    coalesce(p_window_end, 9007199254740991))))
$$;

-- Joins the ruling performance epoch of this incarnation, or wins a new one.
-- Guarantee: for each epoch at most one caller ever is told that it won. The winner alone gets the
-- free nonces; they count as handed over, whatever becomes of them.
-- \`p_mode_epoch\` null is asked by programs of before there were modes.
-- Locks state rows in key order. Replies one row per request: kind \`epoch\` | \`absent\` | \`mode\`, when
-- the mode has another epoch by now or entitles the submitter to no fast store.
DROP FUNCTION IF EXISTS :schema.enter_fast_epochs(
  text[], text[], bigint[], integer[], integer[], text[], text, integer, integer, text);
CREATE OR REPLACE FUNCTION :schema.enter_fast_epochs(
  p_submitters    text[],
  p_incarnations  text[],
  p_bad_epochs    bigint[],
  p_raises        integer[],
  p_windows       integer[],
  p_reasons       text[],
  p_intents       text,
  p_free_limit    integer,
  p_quarantine_ms integer,
  p_release       text,
  p_mode_epoch    bigint DEFAULT NULL
) RETURNS TABLE (
  ord integer, kind text, epoch bigint, incarnation text, won boolean, base bigint, ceiling bigint,
  floor_count bigint, window_end bigint, max_reserved integer, reserved integer, paused boolean,
  free bigint[], tainted boolean[], more boolean, loan bigint, loan_seen bigint
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  q record;
  v_state :schema.submitter_nonce_state%ROWTYPE;
  v_intents text;
  v_limits record;
BEGIN
  FOR q IN
    SELECT r.ord::integer, r.submitter, r.inc, r.bad, r.raise, r.default_window, r.reason
    FROM unnest(p_submitters, p_incarnations, p_bad_epochs, p_raises, p_windows, p_reasons)
      WITH ORDINALITY AS r (submitter, inc, bad, raise, default_window, reason, ord)
    ORDER BY r.submitter COLLATE "C"
  LOOP
    ord := q.ord;
    SELECT * INTO v_state FROM :schema.submitter_nonce_state s
    WHERE s.submitter = q.submitter FOR UPDATE;
    IF NOT FOUND THEN
      kind := 'absent';
      RETURN NEXT;
      CONTINUE;
    END IF;
    IF NOT :schema.may_enter_fast(q.submitter, p_mode_epoch) THEN
      kind := 'mode';
      RETURN NEXT;
      CONTINUE;
    END IF;
    SELECT l.intents INTO v_intents FROM :schema.epoch_log l
    WHERE l.submitter = q.submitter AND l.epoch = v_state.epoch;
    won := NOT coalesce(v_state.engine = 'performance' AND v_state.incarnation = q.inc
      AND v_intents = p_intents AND v_state.epoch IS DISTINCT FROM q.bad, false);
    free := '{}';
    tainted := '{}';
    more := false;
    IF won THEN
      PERFORM :schema.change_epoch(q.submitter, v_state.epoch, 'performance', q.inc, 0, p_intents,
        q.reason, NULL, p_quarantine_ms, p_release);
      SELECT f.nonces, f.tainted, f.more INTO free, tainted, more
      FROM :schema.load_free(q.submitter, p_free_limit, q.default_window, p_quarantine_ms, p_release,
        NULL) f;
    END IF;
    SELECT * INTO v_limits FROM :schema.fast_limits(q.submitter, q.default_window, p_intents);
    IF won THEN
      UPDATE :schema.submitter_nonce_state s
      SET ceiling = :schema.raised_ceiling(greatest(s.ceiling, v_limits.floor_count), q.raise,
            v_limits.window_end, v_limits.max_reserved)
      WHERE s.submitter = q.submitter;
    END IF;
    SELECT * INTO v_state FROM :schema.submitter_nonce_state s WHERE s.submitter = q.submitter;
    kind := 'epoch';
    epoch := v_state.epoch;
    incarnation := v_state.incarnation;
    base := v_state.base;
    ceiling := v_state.ceiling;
    floor_count := v_limits.floor_count;
    window_end := v_limits.window_end;
    max_reserved := v_limits.max_reserved;
    reserved := v_limits.reserved;
    paused := v_limits.paused;
    loan := v_state.loan;
    loan_seen := v_state.loan;
    RETURN NEXT;
  END LOOP;
END $$;

-- Raises the ceiling of a ruling performance epoch while it still is the one seen, and hands over
-- free nonces. Replies one row per request: kind \`epoch\` | \`stale\` | \`absent\` | \`mode\`: fresh nonces
-- were wanted and the mode entitles the submitter to no fast store, so nothing was changed; what the
-- epoch has granted goes on.
CREATE OR REPLACE FUNCTION :schema.refill_fast_epochs(
  p_submitters    text[],
  p_incarnations  text[],
  p_epochs        bigint[],
  p_ceilings      bigint[],
  p_raises        integer[],
  p_windows       integer[],
  p_loans         bigint[],
  p_intents       text,
  p_free_limit    integer,
  p_quarantine_ms integer,
  p_release       text
) RETURNS TABLE (
  ord integer, kind text, epoch bigint, incarnation text, won boolean, base bigint, ceiling bigint,
  floor_count bigint, window_end bigint, max_reserved integer, reserved integer, paused boolean,
  free bigint[], tainted boolean[], more boolean, loan bigint, loan_seen bigint
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  q record;
  v_state :schema.submitter_nonce_state%ROWTYPE;
  v_limits record;
BEGIN
  FOR q IN
    SELECT r.ord::integer, r.submitter, r.inc, r.epoch, r.ceiling, r.raise, r.default_window, r.loan
    FROM unnest(p_submitters, p_incarnations, p_epochs, p_ceilings, p_raises, p_windows, p_loans)
      WITH ORDINALITY AS r (submitter, inc, epoch, ceiling, raise, default_window, loan, ord)
    ORDER BY r.submitter COLLATE "C"
  LOOP
    ord := q.ord;
    SELECT * INTO v_state FROM :schema.submitter_nonce_state s
    WHERE s.submitter = q.submitter FOR UPDATE;
    IF NOT FOUND THEN
      kind := 'absent';
      RETURN NEXT;
      CONTINUE;
    END IF;
    IF v_state.engine <> 'performance' OR v_state.epoch <> q.epoch
      OR v_state.incarnation IS DISTINCT FROM q.inc THEN
      kind := 'stale';
      RETURN NEXT;
      CONTINUE;
    END IF;
    IF q.raise > 0 AND NOT :schema.may_enter_fast(q.submitter, NULL) THEN
      kind := 'mode';
      RETURN NEXT;
      CONTINUE;
    END IF;
    SELECT f.nonces, f.tainted, f.more, f.loan, f.loan_seen
    INTO free, tainted, more, loan, loan_seen
    FROM :schema.load_free(q.submitter, p_free_limit, q.default_window, p_quarantine_ms, p_release,
      q.loan) f;
    SELECT * INTO v_limits FROM :schema.fast_limits(q.submitter, q.default_window, p_intents);
    -- Free nonces come first: as long as more of them wait, no fresh one is needed.
    IF v_state.ceiling = q.ceiling AND q.raise > 0 AND NOT more THEN
      UPDATE :schema.submitter_nonce_state s
      SET ceiling = :schema.raised_ceiling(greatest(s.ceiling, v_limits.floor_count), q.raise,
            v_limits.window_end, v_limits.max_reserved)
      WHERE s.submitter = q.submitter;
      SELECT * INTO v_state FROM :schema.submitter_nonce_state s WHERE s.submitter = q.submitter;
    END IF;
    kind := 'epoch';
    epoch := v_state.epoch;
    incarnation := v_state.incarnation;
    won := false;
    base := v_state.base;
    ceiling := v_state.ceiling;
    floor_count := v_limits.floor_count;
    window_end := v_limits.window_end;
    max_reserved := v_limits.max_reserved;
    reserved := v_limits.reserved;
    paused := v_limits.paused;
    RETURN NEXT;
  END LOOP;
END $$;` },
    { name: 'take-over.sql', text: `-- The way of one submitter from its fast store to Postgres.

-- Ends the fast epoch \`p_epoch\` in favour of the reliable engine. \`p_retired_next\` is where its store
-- ended it, after all it knew became rows here; null = the store could not be asked, then a strict
-- epoch is walked and a relaxed one quarantined (change_epoch). \`p_epoch\` is null where no fast epoch
-- was seen to rule: that is right as long as no store was told of the present one.
-- Guarantee: an epoch is ended once, however many ask and however often; nothing ends while the mode
-- is another than the one the asker knows, or entitles the submitter to its fast store.
-- Replies \`taken\` (also when the reliable engine has it already) | \`mode\` | \`stale\`: another fast
-- epoch rules.
CREATE OR REPLACE FUNCTION :schema.take_over_submitter(
  p_submitter     text,
  p_epoch         bigint,
  p_retired_next  bigint,
  p_mode_epoch    bigint,
  p_quarantine_ms integer,
  p_release       text
) RETURNS text LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_state :schema.submitter_nonce_state%ROWTYPE;
  v_mode record;
BEGIN
  SELECT * INTO v_state FROM :schema.submitter_nonce_state s
  WHERE s.submitter = p_submitter FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 'stale';
  END IF;
  IF v_state.engine = 'reliable' THEN
    RETURN 'taken';
  END IF;
  SELECT m.epoch, m.is_fast INTO v_mode FROM :schema.mode_of(p_submitter) m;
  IF v_mode.epoch IS DISTINCT FROM p_mode_epoch OR v_mode.is_fast THEN
    RETURN 'mode';
  END IF;
  IF v_state.engine <> 'performance'
    OR (v_state.incarnation IS NOT NULL AND v_state.epoch IS DISTINCT FROM p_epoch) THEN
    RETURN 'stale';
  END IF;
  PERFORM :schema.change_epoch(p_submitter, v_state.epoch, 'reliable', NULL, 0, 'strict',
    'the mode', CASE WHEN v_state.epoch = p_epoch THEN p_retired_next END, p_quarantine_ms,
    p_release);
  RETURN 'taken';
END $$;

-- The same for many, each with a verdict of its own: all that are \`taken\` commit together.
-- Locks state rows in key order; with \`p_skip_locked\` one that somebody else holds is left alone and
-- answered \`contended\`, so that it keeps no other waiting.
CREATE OR REPLACE FUNCTION :schema.take_over_submitters(
  p_submitters    text[],
  p_epochs        bigint[],
  p_retired_nexts bigint[],
  p_mode_epoch    bigint,
  p_skip_locked   boolean,
  p_quarantine_ms integer,
  p_release       text
) RETURNS TABLE (ord integer, verdict text) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  q record;
  v_locked text[];
BEGIN
  IF p_skip_locked THEN
    SELECT array_agg(l.submitter) INTO v_locked FROM (
      SELECT s.submitter FROM :schema.submitter_nonce_state s
      WHERE s.submitter = ANY (p_submitters) ORDER BY s.submitter FOR UPDATE SKIP LOCKED) l;
  ELSE
    SELECT array_agg(l.submitter) INTO v_locked FROM (
      SELECT s.submitter FROM :schema.submitter_nonce_state s
      WHERE s.submitter = ANY (p_submitters) ORDER BY s.submitter FOR UPDATE) l;
  END IF;
  FOR q IN
    SELECT r.ord::integer, r.submitter, r.epoch, r.retired_next,
      -- One without a row is not contended, and has a verdict too.
      r.submitter <> ALL (coalesce(v_locked, '{}')) AND EXISTS (
        SELECT 1 FROM :schema.submitter_nonce_state s WHERE s.submitter = r.submitter) AS contended
    FROM unnest(p_submitters, p_epochs, p_retired_nexts)
      WITH ORDINALITY AS r (submitter, epoch, retired_next, ord)
    ORDER BY r.submitter COLLATE "C"
  LOOP
    ord := q.ord;
    IF q.contended THEN
      verdict := 'contended';
    ELSE
      verdict := :schema.take_over_submitter(q.submitter, q.epoch, q.retired_next, p_mode_epoch,
        p_quarantine_ms, p_release);
    END IF;
    RETURN NEXT;
  END LOOP;
END $$;` },
    { name: 'record-grants.sql', text: `-- Makes grants of a fast store durable before their handlers run, and binds operations.
--
-- Guarantee: a nonce is recorded for a token only while the grant's epoch rules and nobody else may
-- hold or have sent it; an operation is bound to one set of nonces whatever the fast store lost.
-- Locks: state rows in key order, then allocation rows in key order.
--
-- One element per nonce; \`p_requests\` counts requests from 1 and rises. Replies one row per request:
--   granted     detail = hashes known at its nonces of earlier holders, \`nonce:hash\`, comma-separated
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
-- Replies one row: kind as in record_grants, or \`new\` when nothing binds it.
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
END $$;` },
    { name: 'adopt-fast-grants.sql', text: `-- Commands of holders whose fast grants Postgres may not have heard of yet.

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
END $$;` },
    { name: 'command-batch.sql', text: `-- Applies a batch of holders' commands, each conditional on its owner token, in one statement.
-- Rows of fast grants that Postgres has not heard of are made first (adopt_fast_grants); the arrays
-- of their facts are null when no command carries any.
-- Locks the rows in key order, then decides by :schema.decide_holder_command on what it locked.
-- Replies one row per command: verdict \`done\` | \`same\` | an error code, and the row as it then is.
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
END $$;` },
    { name: 'claim-flush-shards.sql', text: `-- Which worker flushes which shard.

-- Renews a worker's shards, gives back what exceeds its fair share, and takes free ones up to it.
-- Replies the shards that are now its own.
CREATE OR REPLACE FUNCTION :schema.claim_flush_shards(p_worker text, p_shards integer, p_lease_ms integer)
RETURNS SETOF integer LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz;
  v_until timestamptz;
  v_share integer;
BEGIN
  -- Claims are rare and short: one at a time, each counts what the one before has done.
  PERFORM pg_advisory_xact_lock(hashtextextended(':schema.flush_shard', 0));
  v_now := clock_timestamp();
  v_until := v_now + p_lease_ms * interval '1 ms';

  UPDATE :schema.flush_worker w SET worker = p_worker, lease_until = v_until
  WHERE w.slot = (
    SELECT o.slot FROM :schema.flush_worker o
    WHERE o.worker = p_worker OR o.lease_until <= v_now
    ORDER BY o.worker = p_worker DESC, o.slot LIMIT 1);
  IF NOT FOUND THEN
    INSERT INTO :schema.flush_worker (slot, worker, lease_until)
    SELECT coalesce(max(o.slot), 0) + 1, p_worker, v_until FROM :schema.flush_worker o;
  END IF;
  INSERT INTO :schema.flush_shard (shard)
  SELECT n FROM generate_series(0, p_shards - 1) AS n
  WHERE NOT EXISTS (SELECT 1 FROM :schema.flush_shard f WHERE f.shard = n)
  ON CONFLICT (shard) DO NOTHING;

  SELECT ceil(p_shards::numeric / count(*)) INTO v_share
  FROM :schema.flush_worker w WHERE w.lease_until > v_now;
  UPDATE :schema.flush_shard f
  SET worker = CASE WHEN m.place <= v_share THEN p_worker END,
      lease_until = CASE WHEN m.place <= v_share THEN v_until ELSE '-infinity' END
  FROM (
    -- Its own first, then those that nobody holds.
    SELECT o.shard, o.worker,
      row_number() OVER (ORDER BY (o.worker = p_worker) IS TRUE DESC, o.shard) AS place
    FROM :schema.flush_shard o
    WHERE o.shard < p_shards AND (o.worker = p_worker OR o.lease_until <= v_now)) m
  WHERE f.shard = m.shard AND (m.place <= v_share OR m.worker = p_worker);
  RETURN QUERY SELECT f.shard FROM :schema.flush_shard f
  WHERE f.worker = p_worker AND f.shard < p_shards ORDER BY f.shard;
END $$;

-- Gives back everything a worker holds, so that others need not wait for its leases to end.
CREATE OR REPLACE FUNCTION :schema.release_flush_shards(p_worker text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(':schema.flush_shard', 0));
  UPDATE :schema.flush_shard f SET worker = NULL, lease_until = '-infinity'
  WHERE f.worker = p_worker;
  UPDATE :schema.flush_worker w SET lease_until = '-infinity' WHERE w.worker = p_worker;
END $$;` },
    { name: 'stage-after-event.sql', text: `-- What an event about a grant of a fast store makes of its row.

-- Appends what is not known yet to a list of hashes; null stands for an empty list. Callers leave
-- the common cases out: a call costs as much as ten of them.
CREATE OR REPLACE FUNCTION :schema.with_hashes(known text[], added text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN added IS NULL THEN known
    WHEN known IS NULL THEN added
    WHEN known @> added THEN known
    ELSE known || ARRAY(
      SELECT h FROM unnest(added) WITH ORDINALITY AS x (h, at) WHERE h <> ALL (known) ORDER BY at)
  END
$$;

-- The stage of a row after an event about its own grant. \`is_news\` is false for a word that came
-- before: then only its hashes count. Nothing that may have been sent becomes REUSABLE, and what
-- Postgres has decided since (INTENT and later) is never taken back.
CREATE OR REPLACE FUNCTION :schema.stage_after_event(
  stage    :schema.allocation_stage,
  event    text,
  is_news  boolean,
  has_hash boolean,
  tainted  boolean
) RETURNS :schema.allocation_stage LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN NOT is_news OR event = 'GRANTED' THEN
      CASE WHEN stage = 'REUSABLE' AND has_hash THEN 'QUARANTINED' ELSE stage::text END
    WHEN stage = 'GRANTED' THEN CASE
      WHEN event NOT IN ('REUSABLE', 'EXPIRED') THEN event
      WHEN tainted OR has_hash THEN 'QUARANTINED' ELSE 'REUSABLE' END
    WHEN stage = 'INTENT' AND event IN ('BROADCAST', 'ASSERTED') THEN event
    WHEN stage = 'BROADCAST' AND event = 'ASSERTED' THEN event
    WHEN stage = 'QUARANTINED' AND event IN ('INTENT', 'BROADCAST') THEN 'INTENT'
    WHEN stage = 'QUARANTINED' AND event = 'ASSERTED' THEN event
    WHEN stage = 'REUSABLE' AND has_hash AND event IN ('INTENT', 'BROADCAST', 'ASSERTED')
      THEN 'INTENT'
    WHEN stage = 'REUSABLE' AND (has_hash OR event NOT IN ('REUSABLE', 'EXPIRED'))
      THEN 'QUARANTINED'
    ELSE stage::text
  END:::schema.allocation_stage
$$;` },
    { name: 'apply-events.sql', text: `-- Events of fast stores become rows. Order of truth: (epoch, generation, rank).

-- Applies events, one element per grant that is named in the batch (the caller merges the words
-- about one grant), sorted by (submitter, nonce, epoch, generation).
--
-- Guarantee: any order, any number of times, in any batches: the same rows. A grant that is later
-- by (epoch, generation) takes the row over, unless bytes may be out under the earlier one; who lost
-- the nonce is kept in allocation_grant; hashes are only ever added. What a relaxed epoch that was
-- cut off left undecided stays in quarantine. Bindings of operations are not written here.
-- Fails as a whole, naming an event, when this database does not know the event's epoch or ceiling:
-- it was set back, and only recovery may decide.
-- Locks: state rows in key order, then allocation rows in key order.
--
-- \`p_lasts\` is false for a grant that is followed by a later one of the same nonce; null = all true.
CREATE OR REPLACE FUNCTION :schema.apply_events(
  p_submitters    text[],
  p_nonces        bigint[],
  p_epochs        bigint[],
  p_generations   integer[],
  p_ranks         integer[],
  p_stages        text[],
  p_ids           uuid[],
  p_sources       text[],
  p_exposures     text[],
  p_granted_ms    double precision[],
  p_deadlines_ms  double precision[],
  p_operations    text[],
  p_metadata      text[],
  p_hashes        text[],
  p_notes         text[],
  p_lasts         boolean[],
  p_quarantine_ms integer,
  p_release       text
) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_now     timestamptz;
  v_due     timestamptz;
  v_release timestamptz;
  v_gens    integer[];
  -- Its epoch rules no more; and was a relaxed one that was cut off: nobody can tell what became of
  -- it later. A store that ended its epoch told that first, so that later words are no news.
  v_closed  boolean[];
  v_cut     boolean[];
  -- The stage that a row gets which knows nothing else of this grant.
  v_words   text[];
  -- Released by its holder in the ruling epoch: the fast store has it in its free set already.
  v_frees   boolean[];
  v_unknown text;
  v_fates   text[];
  v_to      text[];
BEGIN
  PERFORM 1 FROM :schema.submitter_nonce_state s
  WHERE s.submitter = ANY (p_submitters) ORDER BY s.submitter FOR UPDATE;
  v_now := clock_timestamp();
  v_due := v_now + p_quarantine_ms / 2 * interval '1 ms';
  v_release := CASE WHEN p_release = 'replacement' THEN v_now + p_quarantine_ms * interval '1 ms' END;

  -- Sorted once below, so that the arrays line up with the parameters without a sort each.
  SELECT array_agg(e.gen), array_agg(e.closed), array_agg(e.cut),
    array_agg(CASE
      WHEN e.cut THEN CASE e.stage WHEN 'BROADCAST' THEN 'INTENT' WHEN 'ASSERTED' THEN e.stage
        ELSE 'QUARANTINED' END
      WHEN e.stage NOT IN ('REUSABLE', 'EXPIRED') THEN e.stage
      WHEN e.source = 'replacement' OR e.hashes IS NOT NULL
        OR (e.stage = 'EXPIRED' AND e.exposure <> 'declared') THEN 'QUARANTINED'
      ELSE 'REUSABLE' END),
    array_agg(e.stage = 'REUSABLE' AND NOT e.closed),
    min(e.submitter || ' nonce ' || e.nonce || ' epoch ' || e.epoch)
      FILTER (WHERE e.closed IS NULL)
  INTO v_gens, v_closed, v_cut, v_words, v_frees, v_unknown
  FROM (
    SELECT q.submitter, q.nonce, q.epoch, q.stage, q.source, q.exposure, q.hashes,
      -- What was granted for a chain that is gone is news about that chain.
      CASE WHEN q.epoch < s.generation_epoch THEN s.chain_generation - 1
        ELSE s.chain_generation END AS gen,
      CASE WHEN q.epoch <= s.epoch AND q.nonce < s.ceiling THEN q.epoch < s.epoch END AS closed,
      q.epoch < s.epoch AND EXISTS (
        SELECT 1 FROM :schema.epoch_log l
        WHERE l.submitter = q.submitter AND l.epoch = q.epoch AND l.intents = 'relaxed'
          AND l.retired_next IS NULL) AS cut
    FROM unnest(p_submitters, p_nonces, p_epochs, p_stages, p_sources, p_exposures, p_hashes)
      WITH ORDINALITY AS q (submitter, nonce, epoch, stage, source, exposure, hashes, ord)
    LEFT JOIN :schema.submitter_nonce_state s ON s.submitter = q.submitter
    ORDER BY q.ord) e;
  IF v_unknown IS NOT NULL THEN
    RAISE EXCEPTION 'noncekit: an event is ahead of this database: %', v_unknown
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;

  -- Fates: \`insert\` no row yet · \`take\` a later grant takes the row over, first in a stage that its
  -- word may follow, then as \`same\` · \`same\` news about the row's own grant · \`old\` a grant that
  -- does not hold the row · \`none\`. \`insert\` and \`none\` hold without the rows' locks: only holders of
  -- the state's lock make rows, and what a row knows it never forgets. For the others the first pass
  -- is done again under their locks. The second takes over, the third tells the news of those that
  -- took over.
  FOR v_pass IN 0..3 LOOP
    SELECT array_agg(f.fate), array_agg(CASE f.fate
        WHEN 'insert' THEN f.word
        WHEN 'same' THEN :schema.stage_after_event(f.was, f.event, f.is_news, f.has_hash,
          f.tainted OR (f.event = 'EXPIRED' AND (f.cut OR f.exposure <> 'declared')))::text
        WHEN 'take' THEN CASE
          WHEN f.cut THEN 'QUARANTINED'
          WHEN f.word = 'REUSABLE' AND (f.was = 'QUARANTINED' OR f.tainted OR f.has_hash)
            THEN 'QUARANTINED'
          WHEN f.word IN ('REUSABLE', 'QUARANTINED') THEN f.word
          ELSE 'GRANTED' END
      END)
    INTO v_fates, v_to
    FROM (
      SELECT q.word, q.cut, a.stage AS was, a.exposure,
        CASE
          WHEN NOT q.cut OR q.stage IN ('GRANTED', 'EXPIRED') THEN q.stage
          ELSE q.word END AS event,
        (q.epoch, q.generation, q.rank) > (a.epoch, a.generation, a.rank) AS is_news,
        q.hashes IS NOT NULL OR a.hashes IS NOT NULL AS has_hash,
        a.source = 'replacement' OR a.shared AS tainted,
        CASE
          WHEN a.nonce IS NULL THEN CASE WHEN q.is_last IS NOT FALSE THEN 'insert' ELSE 'old' END
          WHEN (q.epoch, q.generation) > (a.epoch, a.generation) AND q.is_last IS NOT FALSE
            AND a.stage IN ('GRANTED', 'REUSABLE', 'QUARANTINED') THEN CASE
              -- Under strict intents Postgres knows of every such holder and of its release; who
              -- was granted the nonce over it all the same has been refused (record_grants).
              WHEN (a.stage = 'QUARANTINED' AND q.source <> 'replacement'
                  OR a.stage = 'GRANTED' AND (a.exposure <> 'declared'
                    OR a.source = 'replacement' OR a.shared))
                AND EXISTS (
                  SELECT 1 FROM :schema.epoch_log l
                  WHERE l.submitter = q.submitter AND l.epoch = q.epoch AND l.intents = 'strict')
              THEN 'old' ELSE 'take' END
          WHEN a.id <> q.id THEN 'old'
          WHEN (q.epoch, q.generation, q.rank) > (a.epoch, a.generation, a.rank)
            OR (q.hashes IS NOT NULL
              AND NOT coalesce(a.hashes, '{}') @> string_to_array(q.hashes, ',')) THEN 'same'
          ELSE 'none' END AS fate
      FROM unnest(p_submitters, v_gens, p_nonces, p_epochs, p_generations, p_ranks, p_stages,
          v_words, v_cut, p_ids, p_sources, p_hashes, p_lasts) WITH ORDINALITY
        AS q (submitter, gen, nonce, epoch, generation, rank, stage, word, cut, id, source, hashes,
          is_last, ord)
      LEFT JOIN :schema.submitter_nonce_allocation a
        ON a.submitter = q.submitter AND a.chain_generation = q.gen AND a.nonce = q.nonce
      ORDER BY q.ord) f;

    IF v_pass = 0 AND v_fates && ARRAY['same', 'take', 'old'] THEN
      PERFORM 1 FROM unnest(p_submitters, v_gens, p_nonces, v_fates) AS q (submitter, gen, nonce, fate)
      JOIN :schema.submitter_nonce_allocation a
        ON a.submitter = q.submitter AND a.chain_generation = q.gen AND a.nonce = q.nonce
      WHERE q.fate IN ('same', 'take', 'old')
      ORDER BY a.submitter, a.chain_generation, a.nonce
      FOR UPDATE OF a;
      CONTINUE;
    END IF;

    IF 'insert' = ANY (v_fates) THEN
      INSERT INTO :schema.submitter_nonce_allocation (
        submitter, chain_generation, nonce, id, stage, source, exposure, engine, generation, epoch,
        rank, loaded_epoch, operation_id, tx_hash, hashes, shared, note, metadata, deadline, due_at,
        release_at, created_at, updated_at)
      SELECT q.submitter, q.gen, q.nonce, q.id, q.stage:::schema.allocation_stage,
        q.source:::schema.allocation_source, q.exposure:::schema.allocation_exposure, 'performance',
        q.generation, q.epoch, q.rank, CASE WHEN q.frees AND q.stage = 'REUSABLE' THEN q.epoch END,
        q.operation_id, right(q.hashes, 66), string_to_array(q.hashes, ','), q.cut, q.note,
        q.metadata::jsonb, CASE q.stage WHEN 'GRANTED' THEN to_timestamp(q.deadline_ms / 1000) END,
        CASE q.stage WHEN 'BROADCAST' THEN v_now WHEN 'INTENT' THEN v_now
          WHEN 'QUARANTINED' THEN v_due END,
        CASE q.stage WHEN 'QUARANTINED' THEN v_release END, to_timestamp(q.granted_ms / 1000), v_now
      FROM unnest(p_submitters, v_gens, p_nonces, p_ids, v_to, p_sources, p_exposures,
          p_generations, p_epochs, p_ranks, v_frees, v_cut, p_operations, p_hashes, p_notes,
          p_metadata, p_granted_ms, p_deadlines_ms, v_fates)
        AS q (submitter, gen, nonce, id, stage, source, exposure, generation, epoch, rank, frees,
          cut, operation_id, hashes, note, metadata, granted_ms, deadline_ms, fate)
      WHERE q.fate = 'insert';
    END IF;

    IF 'same' = ANY (v_fates) THEN
      UPDATE :schema.submitter_nonce_allocation a
      SET stage = q.stage,
          epoch = greatest(a.epoch, q.epoch),
          generation = CASE WHEN (q.epoch, q.generation) > (a.epoch, a.generation)
            THEN q.generation ELSE a.generation END,
          rank = CASE WHEN (q.epoch, q.generation, q.rank) > (a.epoch, a.generation, a.rank)
            THEN q.rank ELSE a.rank END,
          hashes = CASE WHEN q.hashes IS NULL THEN a.hashes WHEN a.hashes IS NULL THEN q.hashes
            ELSE :schema.with_hashes(a.hashes, q.hashes) END,
          tx_hash = CASE
            WHEN q.hashes IS NULL OR a.stage NOT IN
              ('GRANTED', 'INTENT', 'BROADCAST', 'QUARANTINED', 'REUSABLE', 'ASSERTED') THEN a.tx_hash
            WHEN a.tx_hash IS NULL OR (q.epoch, q.generation, q.rank) > (a.epoch, a.generation, a.rank)
              THEN q.hashes[cardinality(q.hashes)]
            ELSE a.tx_hash END,
          note = CASE WHEN (q.epoch, q.generation, q.rank) > (a.epoch, a.generation, a.rank)
            THEN coalesce(q.note, a.note) ELSE a.note END,
          deadline = CASE WHEN q.stage <> 'GRANTED' THEN NULL
            WHEN (q.epoch, q.generation, q.rank) > (a.epoch, a.generation, a.rank)
              THEN to_timestamp(q.deadline_ms / 1000)
            ELSE a.deadline END,
          due_at = CASE
            WHEN q.stage = 'QUARANTINED' AND a.stage <> 'QUARANTINED' THEN v_due
            WHEN q.stage IN ('INTENT', 'BROADCAST') AND a.stage <> q.stage THEN v_now
            WHEN q.stage <> a.stage THEN NULL
            -- Another hash of it became known: look for that one too, now.
            WHEN q.stage IN ('INTENT', 'BROADCAST', 'QUARANTINED', 'ASSERTED')
              AND NOT coalesce(a.hashes, '{}') @> coalesce(q.hashes, '{}') THEN v_now
            ELSE a.due_at END,
          release_at = CASE WHEN q.stage <> 'QUARANTINED' THEN NULL
            WHEN a.stage = 'QUARANTINED' THEN a.release_at ELSE v_release END,
          stuck_since = CASE WHEN q.stage = a.stage THEN a.stuck_since END,
          -- What left the fast store is handed over again once it may be issued.
          loaded_epoch = CASE
            WHEN q.event = 'EXPIRED' AND (q.epoch, q.generation, q.rank)
              > (a.epoch, a.generation, a.rank) THEN NULL
            WHEN q.stage = a.stage THEN a.loaded_epoch
            WHEN q.stage = 'REUSABLE' AND q.frees THEN q.epoch
            WHEN q.stage IN ('REUSABLE', 'QUARANTINED') THEN NULL
            ELSE a.loaded_epoch END,
          updated_at = v_now
      FROM (
        SELECT u.submitter, u.gen, u.nonce, u.epoch, u.generation, u.rank, u.event,
          u.stage:::schema.allocation_stage AS stage, string_to_array(u.hashes, ',') AS hashes,
          u.note, u.deadline_ms, u.frees
        FROM unnest(p_submitters, v_gens, p_nonces, p_epochs, p_generations, p_ranks, p_stages, v_to,
            p_hashes, p_notes, p_deadlines_ms, v_frees, v_fates)
          AS u (submitter, gen, nonce, epoch, generation, rank, event, stage, hashes, note,
            deadline_ms, frees, fate)
        WHERE u.fate = 'same') q
      WHERE a.submitter = q.submitter AND a.chain_generation = q.gen AND a.nonce = q.nonce;
    END IF;
    EXIT WHEN NOT 'take' = ANY (v_fates);
    -- News about the present holder may be why nobody else gets the nonce: look again after it.
    CONTINUE WHEN 'same' = ANY (v_fates);

    PERFORM :schema.keep_replaced(p_submitters, v_gens, p_nonces, p_ids, v_fates, v_now);
    UPDATE :schema.submitter_nonce_allocation a
    SET id = q.id,
        stage = q.stage,
        source = CASE
          WHEN a.source = 'replacement' OR (a.stage = 'QUARANTINED' AND q.stage = 'GRANTED')
            THEN 'replacement' ELSE q.source END:::schema.allocation_source,
        exposure = q.exposure,
        engine = 'performance',
        generation = q.generation,
        epoch = q.epoch,
        rank = CASE WHEN q.word IN ('INTENT', 'BROADCAST', 'ASSERTED') THEN 0 ELSE q.rank END,
        loaded_epoch = CASE WHEN q.stage = 'REUSABLE' AND q.frees THEN q.epoch END,
        operation_id = q.operation_id,
        tx_hash = right(q.hashes, 66),
        hashes = CASE WHEN q.hashes IS NULL THEN a.hashes
          ELSE :schema.with_hashes(a.hashes, string_to_array(q.hashes, ',')) END,
        inherited_hashes = coalesce(cardinality(a.hashes), 0),
        shared = q.cut OR (a.shared AND q.stage = 'QUARANTINED'),
        note = q.note,
        metadata = q.metadata::jsonb,
        deadline = CASE q.stage WHEN 'GRANTED' THEN to_timestamp(q.deadline_ms / 1000) END,
        due_at = CASE WHEN q.stage <> 'QUARANTINED' THEN NULL
          WHEN a.stage = 'QUARANTINED' AND q.cut THEN a.due_at ELSE v_due END,
        release_at = CASE WHEN q.stage <> 'QUARANTINED' THEN NULL
          WHEN a.stage = 'QUARANTINED' AND q.cut THEN a.release_at ELSE v_release END,
        stuck_since = NULL,
        created_at = to_timestamp(q.granted_ms / 1000),
        updated_at = v_now
    FROM (
      SELECT u.submitter, u.gen, u.nonce, u.id, u.stage:::schema.allocation_stage AS stage, u.word,
        u.source, u.exposure:::schema.allocation_exposure AS exposure, u.generation, u.epoch, u.rank,
        u.frees, u.cut, u.operation_id, u.hashes, u.note, u.metadata, u.granted_ms, u.deadline_ms
      FROM unnest(p_submitters, v_gens, p_nonces, p_ids, v_to, v_words, p_sources, p_exposures,
          p_generations, p_epochs, p_ranks, v_frees, v_cut, p_operations, p_hashes, p_notes,
          p_metadata, p_granted_ms, p_deadlines_ms, v_fates)
        AS u (submitter, gen, nonce, id, stage, word, source, exposure, generation, epoch, rank,
          frees, cut, operation_id, hashes, note, metadata, granted_ms, deadline_ms, fate)
      WHERE u.fate = 'take') q
    WHERE a.submitter = q.submitter AND a.chain_generation = q.gen AND a.nonce = q.nonce;
    -- What took over in the stage of its word is done; the rest needs the last pass.
    EXIT WHEN NOT v_words && ARRAY['INTENT', 'BROADCAST', 'ASSERTED'];
  END LOOP;

  IF 'old' = ANY (v_fates) OR p_lasts IS NOT NULL THEN
    PERFORM :schema.keep_losers(p_submitters, v_gens, p_nonces, p_epochs, p_generations, p_stages,
      -- Quarantine for want of knowledge proves nothing against a later holder.
      (SELECT array_agg(s.stage NOT IN ('GRANTED', 'REUSABLE')
        AND NOT (s.stage = 'EXPIRED' AND (s.cut OR s.word = 'REUSABLE')) ORDER BY s.ord)
       FROM unnest(p_stages, v_words, v_cut) WITH ORDINALITY AS s (stage, word, cut, ord)),
      v_words, p_ids, p_sources, p_granted_ms, p_operations, p_hashes, p_notes, v_now, v_due,
      v_release);
  END IF;

  UPDATE :schema.submitter_nonce_state s
  SET next_local_nonce = greatest(s.next_local_nonce, n.next),
      reclaim_at = least(s.reclaim_at, n.deadline),
      updated_at = v_now
  FROM (
    SELECT q.submitter, max(q.nonce) + 1 AS next,
      to_timestamp(min(q.deadline_ms) FILTER (WHERE q.word = 'GRANTED' AND q.closed) / 1000)
        AS deadline
    FROM unnest(p_submitters, p_nonces, v_words, v_closed, p_deadlines_ms)
      AS q (submitter, nonce, word, closed, deadline_ms)
    GROUP BY q.submitter) n
  WHERE s.submitter = n.submitter
    AND (s.next_local_nonce < n.next OR s.reclaim_at > n.deadline);
END $$;` },
    { name: 'keep-grants.sql', text: `-- Keeps grants that hold their row no more, or never did.

-- What ended with a grant that lost its nonce; news about it may still come, and only make it worse.
CREATE OR REPLACE FUNCTION :schema.worse_end(known :schema.allocation_stage, told :schema.allocation_stage)
RETURNS :schema.allocation_stage LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN known = 'GRANTED' OR (known = 'REUSABLE' AND told = 'QUARANTINED')
    THEN told ELSE known END
$$;

-- Keeps the grants whose rows are about to be taken over.
CREATE OR REPLACE FUNCTION :schema.keep_replaced(
  p_submitters text[],
  p_gens       integer[],
  p_nonces     bigint[],
  p_ids        uuid[],
  p_fates      text[],
  p_now        timestamptz
) RETURNS void LANGUAGE sql
SET enable_seqscan = off
AS $$
  INSERT INTO :schema.allocation_grant AS g (
    id, submitter, chain_generation, nonce, generation, source, ended_stage, operation_id, hashes,
    inherited_hashes, note, granted_at, ended_at)
  SELECT a.id, a.submitter, a.chain_generation, a.nonce, a.generation, a.source, a.stage,
    a.operation_id, a.hashes, a.inherited_hashes, a.note, a.created_at, p_now
  FROM unnest(p_submitters, p_gens, p_nonces, p_ids, p_fates) AS q (submitter, gen, nonce, id, fate)
  JOIN :schema.submitter_nonce_allocation a
    ON a.submitter = q.submitter AND a.chain_generation = q.gen AND a.nonce = q.nonce
  -- A late owner may have got its own nonce back by a new grant.
  WHERE q.fate = 'take' AND a.id <> q.id AND a.generation > 0
  ON CONFLICT (id) DO UPDATE
  SET ended_stage = :schema.worse_end(g.ended_stage, excluded.ended_stage)
$$;

-- Keeps grants that do not hold their row (any more): late words about earlier holders, and later
-- ones that were refused because bytes may be out. Their hashes are the row's too, as inherited
-- ones; a row that may have been sent by somebody else is clean no longer. A holder over whom the
-- fast store granted the nonce again is held there no more: it is quarantined, and may still report.
CREATE OR REPLACE FUNCTION :schema.keep_losers(
  p_submitters  text[],
  p_gens        integer[],
  p_nonces      bigint[],
  p_epochs      bigint[],
  p_generations integer[],
  p_stages      text[],
  p_exposed     boolean[],
  p_words       text[],
  p_ids         uuid[],
  p_sources     text[],
  p_granted_ms  double precision[],
  p_operations  text[],
  p_hashes      text[],
  p_notes       text[],
  p_now         timestamptz,
  p_due         timestamptz,
  p_release     timestamptz
) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
BEGIN
  INSERT INTO :schema.allocation_grant AS g (
    id, submitter, chain_generation, nonce, generation, source, ended_stage, operation_id, hashes,
    note, granted_at, ended_at)
  SELECT q.id, q.submitter, q.gen, q.nonce, q.generation, q.source:::schema.allocation_source,
    CASE WHEN q.word IN ('GRANTED', 'REUSABLE') THEN q.word
      ELSE 'QUARANTINED' END:::schema.allocation_stage,
    q.operation_id, string_to_array(q.hashes, ','), q.note, to_timestamp(q.granted_ms / 1000),
    p_now
  FROM unnest(p_submitters, p_gens, p_nonces, p_generations, p_words, p_ids, p_sources,
      p_granted_ms, p_operations, p_hashes, p_notes)
    AS q (submitter, gen, nonce, generation, word, id, source, granted_ms, operation_id, hashes,
      note)
  JOIN :schema.submitter_nonce_allocation a
    ON a.submitter = q.submitter AND a.chain_generation = q.gen AND a.nonce = q.nonce
  -- A grant that was not heard of when its epoch was closed has not ended while nobody else was
  -- granted the nonce: its holder may still take it up.
  WHERE a.id <> q.id AND NOT (q.word = 'GRANTED' AND a.stage = 'REUSABLE')
  ON CONFLICT (id) DO UPDATE
  SET ended_stage = :schema.worse_end(g.ended_stage, excluded.ended_stage),
      hashes = :schema.with_hashes(g.hashes, excluded.hashes),
      note = coalesce(g.note, excluded.note)
  WHERE :schema.worse_end(g.ended_stage, excluded.ended_stage) <> g.ended_stage
    OR NOT coalesce(g.hashes, '{}') @> coalesce(excluded.hashes, '{}');

  UPDATE :schema.submitter_nonce_allocation a
  -- Behind those of earlier holders, before those of the present one.
  SET hashes = CASE WHEN q.hashes IS NULL THEN a.hashes
        ELSE a.hashes[1 : a.inherited_hashes] || ARRAY(
          SELECT h FROM unnest(q.hashes) WITH ORDINALITY AS x (h, at)
          WHERE h <> ALL (coalesce(a.hashes, '{}')) GROUP BY h ORDER BY min(at))
          || a.hashes[a.inherited_hashes + 1 :] END,
      inherited_hashes = a.inherited_hashes + (
        SELECT count(DISTINCT h) FROM unnest(q.hashes) AS h
        WHERE h <> ALL (coalesce(a.hashes, '{}')))::integer,
      stage = CASE WHEN a.stage = 'REUSABLE' AND q.tainting OR a.stage = 'GRANTED' AND q.later
        THEN 'QUARANTINED' ELSE a.stage::text END:::schema.allocation_stage,
      source = CASE WHEN a.stage = 'GRANTED' AND q.tainting THEN 'replacement'
        ELSE a.source::text END:::schema.allocation_source,
      deadline = CASE WHEN a.stage = 'GRANTED' AND NOT q.later THEN a.deadline END,
      due_at = CASE
        WHEN a.stage = 'REUSABLE' AND q.tainting OR a.stage = 'GRANTED' AND q.later THEN p_due
        WHEN a.stage IN ('INTENT', 'BROADCAST', 'QUARANTINED', 'ASSERTED')
          AND NOT coalesce(a.hashes, '{}') @> coalesce(q.hashes, '{}') THEN p_now
        ELSE a.due_at END,
      release_at = CASE
        WHEN a.stage = 'REUSABLE' AND q.tainting OR a.stage = 'GRANTED' AND q.later THEN p_release
        ELSE a.release_at END,
      -- What has left its fast store is handed over again once it may be issued.
      loaded_epoch = CASE WHEN a.stage IN ('REUSABLE', 'GRANTED') AND (q.tainting OR q.later)
        OR a.loaded_epoch = q.left_epoch THEN NULL ELSE a.loaded_epoch END,
      updated_at = p_now
  FROM (
    SELECT u.submitter, u.gen, u.nonce,
      array_agg(h.hash ORDER BY u.ord, h.at) FILTER (WHERE h.hash IS NOT NULL) AS hashes,
      bool_or(u.exposed OR u.hashes IS NOT NULL) AS tainting,
      bool_or((u.epoch, u.generation) > (b.epoch, b.generation)) AS later,
      max(u.epoch) FILTER (WHERE u.stage = 'EXPIRED'
        AND (u.epoch, u.generation) > (b.epoch, b.generation)) AS left_epoch
    FROM unnest(p_submitters, p_gens, p_nonces, p_epochs, p_generations, p_stages, p_exposed, p_ids,
        p_hashes) WITH ORDINALITY
      AS u (submitter, gen, nonce, epoch, generation, stage, exposed, id, hashes, ord)
    JOIN :schema.submitter_nonce_allocation b
      ON b.submitter = u.submitter AND b.chain_generation = u.gen AND b.nonce = u.nonce
    LEFT JOIN LATERAL unnest(string_to_array(u.hashes, ',')) WITH ORDINALITY AS h (hash, at) ON true
    WHERE b.id <> u.id AND (u.hashes IS NOT NULL OR u.exposed
      OR (u.epoch, u.generation) > (b.epoch, b.generation))
    GROUP BY u.submitter, u.gen, u.nonce) q
  WHERE a.submitter = q.submitter AND a.chain_generation = q.gen AND a.nonce = q.nonce
    AND (NOT coalesce(a.hashes, '{}') @> coalesce(q.hashes, '{}')
      OR (a.stage IN ('GRANTED', 'REUSABLE') AND a.source <> 'replacement' AND q.tainting)
      OR (a.stage = 'GRANTED' AND q.later)
      OR a.loaded_epoch = q.left_epoch);
END $$;` },
    { name: 'bury-event.sql', text: `-- Keeps an event that cannot be applied, once, and quarantines its nonce: nobody knows what it said,
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
END $$;` },
    { name: 'continuity.sql', text: `-- What tells a database that goes on from one that was put back to an older state.

-- When this run of the server began, microseconds since 1970.
CREATE OR REPLACE FUNCTION :schema.server_started_at() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint::text
$$;

-- True, or the error NK001 when another run of the server answers than the one that was verified.
-- Null is not checked. Cheap enough for every hot statement: behind a pooler nothing else tells.
CREATE OR REPLACE FUNCTION :schema.same_server(p_started text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF p_started IS NOT NULL AND p_started <> :schema.server_started_at() THEN
    RAISE EXCEPTION 'noncekit: the server was restarted; continuity has to be verified first'
      USING ERRCODE = 'NK001';
  END IF;
  RETURN true;
END $$;

-- Where the log stood when this run began, bytes: the first checkpoint of a run lies at its start,
-- and a later one only makes the answer too high, which overlooks a loss but invents none.
CREATE OR REPLACE FUNCTION :schema.server_start_lsn() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT pg_wal_lsn_diff(checkpoint_lsn, '0/0')::text FROM pg_control_checkpoint()
$$;

CREATE OR REPLACE FUNCTION :schema.server_timeline() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)
$$;

-- Vouches for the run that answers, if it is the one that was verified; the first word stays.
CREATE OR REPLACE FUNCTION :schema.record_server(p_started text, p_how text, p_by text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM :schema.same_server(p_started);
  INSERT INTO :schema.server_continuity (system_id, started_at, timeline, lsn, how, verified_by)
  SELECT system_identifier::text, :schema.server_started_at(), :schema.server_timeline(),
    :schema.server_start_lsn(), p_how, p_by
  FROM pg_control_system()
  ON CONFLICT (system_id, started_at) DO NOTHING;
END $$;` },
    { name: 'recover-submitters.sql', text: `-- What is done with submitters whose grants the database may have forgotten.

-- Takes submitters out of the hands of whoever held their nonces before the database forgot.
--
-- Guarantee: the new epoch lies above every witnessed one; nothing below the witnessed ceiling is
-- issued as fresh; every nonce short of INTENT is quarantined under a token and a grant that nobody
-- has, so that each late holder is fenced; no operation is bound anew by it. Idempotent: a submitter
-- is entered while it is behind its witness, or once per \`p_lost_at\`; a cut-off call is continued.
-- Fast stores may be marked with modes that were forgotten too: the mode goes on above all of them.
-- Locks state rows in key order, then their allocation rows in key order.
-- Replies one row per submitter that is in recovery; those without a state row are left out.
CREATE OR REPLACE FUNCTION :schema.recover_submitters(
  p_started       text,
  p_submitters    text[],
  p_epochs        bigint[],
  p_ceilings      bigint[],
  p_lost_at       text,
  p_reason        text,
  p_quarantine_ms integer,
  p_release       text,
  p_limit         integer
) RETURNS TABLE (submitter text, entered boolean, epoch bigint, ceiling bigint, finished boolean)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  q record;
  v_state :schema.submitter_nonce_state%ROWTYPE;
  v_to bigint;
  v_forgot boolean := p_lost_at IS NOT NULL;
BEGIN
  PERFORM :schema.same_server(p_started);
  FOR q IN
    SELECT r.submitter, max(r.epoch) AS epoch, max(r.ceiling) AS ceiling
    FROM unnest(p_submitters, p_epochs, p_ceilings) AS r (submitter, epoch, ceiling)
    GROUP BY r.submitter
    ORDER BY r.submitter COLLATE "C"
  LOOP
    SELECT * INTO v_state FROM :schema.submitter_nonce_state s
    WHERE s.submitter = q.submitter FOR UPDATE;
    IF NOT FOUND THEN
      CONTINUE;
    END IF;
    entered := v_state.epoch < q.epoch OR v_state.ceiling < q.ceiling
      OR (p_lost_at IS NOT NULL
        AND coalesce(v_state.recovery_server, '0')::bigint < p_lost_at::bigint);
    IF entered THEN
      v_forgot := true;
      PERFORM :schema.enter_recovery(q.submitter, q.epoch, q.ceiling, coalesce(p_lost_at, p_started),
        p_reason, p_quarantine_ms, p_release);
      SELECT * INTO v_state FROM :schema.submitter_nonce_state s WHERE s.submitter = q.submitter;
    END IF;
    IF v_state.recovery_cursor IS NOT NULL THEN
      v_to := least(v_state.ceiling, v_state.recovery_cursor + p_limit);
      PERFORM :schema.quarantine_missing(q.submitter, v_state.recovery_cursor, v_to,
        p_quarantine_ms, p_release);
      UPDATE :schema.submitter_nonce_state s
      SET recovery_cursor = nullif(v_to, s.ceiling)
      WHERE s.submitter = q.submitter
      RETURNING * INTO v_state;
    END IF;
    IF v_state.recovery_since IS NOT NULL THEN
      submitter := q.submitter;
      epoch := v_state.epoch;
      ceiling := v_state.ceiling;
      finished := v_state.recovery_cursor IS NULL;
      RETURN NEXT;
    END IF;
  END LOOP;
  -- The second in which the run began: no installation has switched as often as seconds have passed,
  -- so that it is above every epoch of a mode, and above that of an earlier loss.
  UPDATE :schema.engine_mode m SET epoch = coalesce(p_lost_at, p_started)::bigint / 1000000
  WHERE v_forgot AND m.epoch < coalesce(p_lost_at, p_started)::bigint / 1000000;
END $$;

-- The epoch of a recovery, and the rows that are short of INTENT. The caller holds the state's lock.
CREATE OR REPLACE FUNCTION :schema.enter_recovery(
  p_submitter     text,
  p_epoch         bigint,
  p_ceiling       bigint,
  p_server        text,
  p_reason        text,
  p_quarantine_ms integer,
  p_release       text
) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
  v_old :schema.submitter_nonce_state%ROWTYPE;
  v_epoch bigint;
  v_ceiling bigint;
  v_from bigint;
BEGIN
  SELECT * INTO v_old FROM :schema.submitter_nonce_state s WHERE s.submitter = p_submitter;
  v_epoch := greatest(v_old.epoch, p_epoch) + 1;
  v_ceiling := greatest(v_old.ceiling, p_ceiling);
  -- Nonces without a row lie in ranges of fast engines; the reliable engine writes each it issues.
  v_from := greatest(v_old.chain_latest_count, CASE
    WHEN v_old.walk_cursor < v_old.walk_end THEN least(v_old.walk_cursor, v_old.base)
    WHEN v_old.engine = 'reliable' THEN v_old.next_local_nonce
    ELSE v_old.base END);

  INSERT INTO :schema.allocation_grant (
    id, submitter, chain_generation, nonce, generation, source, ended_stage, operation_id, hashes,
    inherited_hashes, note, granted_at, ended_at)
  SELECT a.id, a.submitter, a.chain_generation, a.nonce, a.generation, a.source, 'QUARANTINED',
    a.operation_id, a.hashes, a.inherited_hashes, a.note, a.created_at, v_now
  FROM :schema.submitter_nonce_allocation a
  WHERE a.submitter = p_submitter AND a.chain_generation = v_old.chain_generation
    AND a.stage IN ('GRANTED', 'REUSABLE', 'QUARANTINED') AND a.generation > 0
  ON CONFLICT (id) DO NOTHING;

  WITH unsure AS MATERIALIZED (
    SELECT a.nonce FROM :schema.submitter_nonce_allocation a
    WHERE a.submitter = p_submitter AND a.chain_generation = v_old.chain_generation
      AND a.stage IN ('GRANTED', 'REUSABLE', 'QUARANTINED')
    ORDER BY a.nonce
    FOR UPDATE
  )
  UPDATE :schema.submitter_nonce_allocation a
  SET id = gen_random_uuid(),
      stage = 'QUARANTINED',
      exposure = 'assumed',
      generation = 1,
      epoch = v_epoch,
      rank = 0,
      loaded_epoch = NULL,
      operation_id = NULL,
      tx_hash = NULL,
      inherited_hashes = coalesce(cardinality(a.hashes), 0),
      shared = true,
      note = left(p_reason, 500),
      metadata = NULL,
      deadline = NULL,
      due_at = v_now + p_quarantine_ms / 2 * interval '1 ms',
      release_at = CASE WHEN p_release = 'replacement'
        THEN v_now + p_quarantine_ms * interval '1 ms' END,
      stuck_since = NULL,
      updated_at = v_now
  FROM unsure u
  WHERE a.submitter = p_submitter AND a.chain_generation = v_old.chain_generation
    AND a.nonce = u.nonce;

  UPDATE :schema.epoch_log l SET ceiling = v_old.ceiling, closed_at = v_now
  WHERE l.submitter = p_submitter AND l.epoch = v_old.epoch;
  INSERT INTO :schema.epoch_log (submitter, epoch, engine, base, intents, reason)
  VALUES (p_submitter, v_epoch, v_old.engine, v_ceiling, 'strict', left(p_reason, 500));
  -- No incarnation, so that no fast store is joined in this epoch; nothing is left to the walk.
  UPDATE :schema.submitter_nonce_state s
  SET epoch = v_epoch,
      incarnation = NULL,
      base = v_ceiling,
      next_local_nonce = v_ceiling,
      ceiling = v_ceiling,
      walk_cursor = greatest(s.walk_cursor, v_ceiling),
      walk_end = greatest(s.walk_end, v_ceiling),
      recovery_since = coalesce(s.recovery_since, v_now),
      recovery_reason = p_reason,
      recovery_epoch = v_epoch,
      recovery_cursor = nullif(least(v_from, coalesce(s.recovery_cursor, v_from), v_ceiling), v_ceiling),
      recovery_server = p_server,
      updated_at = v_now
  WHERE s.submitter = p_submitter;
END $$;

-- Quarantines the nonces of a part of a range that have no row.
CREATE OR REPLACE FUNCTION :schema.quarantine_missing(
  p_submitter     text,
  p_from          bigint,
  p_to            bigint,
  p_quarantine_ms integer,
  p_release       text
) RETURNS void LANGUAGE sql AS $$
  INSERT INTO :schema.submitter_nonce_allocation (
    submitter, chain_generation, nonce, id, stage, source, exposure, engine, generation, epoch,
    shared, note, due_at, release_at, created_at, updated_at)
  SELECT s.submitter, s.chain_generation, n, gen_random_uuid(), 'QUARANTINED', 'fresh', 'assumed',
    s.engine, 1, s.recovery_epoch, true, left(s.recovery_reason, 500),
    t.now + p_quarantine_ms / 2 * interval '1 ms',
    CASE WHEN p_release = 'replacement' THEN t.now + p_quarantine_ms * interval '1 ms' END,
    t.now, t.now
  FROM :schema.submitter_nonce_state s
  CROSS JOIN (SELECT clock_timestamp() AS now) t
  CROSS JOIN generate_series(p_from, p_to - 1) AS n
  WHERE s.submitter = p_submitter
  ON CONFLICT (submitter, chain_generation, nonce) DO NOTHING
$$;` },
  ],
} as const;
