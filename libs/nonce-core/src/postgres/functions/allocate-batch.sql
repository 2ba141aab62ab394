-- Answers a batch of allocation requests in one statement: the hot path of the reliable engine.
--
-- Guarantee: all writes of the batch commit together; per request all nonces or none; per submitter
-- lowest reusable nonces first, then fresh ones; nothing below the chain's known count.
-- Locks: state rows in key order, then allocation rows in key order, the latter never waited for.
--
-- Requests and slots come sorted by submitter; a slot is one wanted nonce. Replies, by `kind`:
--   submitter  index = submitter, nonce = first fresh nonce, extra = epoch, at_ms = grant time
--   reissued   index = submitter, nonce, extra = rank of the slot that got it, detail = source, then
--              the hashes known at that nonce, comma-separated
--   refused    index = request, detail = error code, extra = how many could be granted
--   replayed   index = request, detail = allocation ids, comma-separated
--   settled    index = request, detail = allocations whose rows may be gone, as JSON
--   absent, contended   index = request
-- `p_strict` tells which submitters are on chains that refuse a nonce above the next one: they get one
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
END $$;
