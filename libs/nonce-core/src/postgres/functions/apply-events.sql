-- Events of fast stores become rows. Order of truth: (epoch, generation, rank).

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
-- `p_lasts` is false for a grant that is followed by a later one of the same nonce; null = all true.
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

  -- Fates: `insert` no row yet · `take` a later grant takes the row over, first in a stage that its
  -- word may follow, then as `same` · `same` news about the row's own grant · `old` a grant that
  -- does not hold the row · `none`. `insert` and `none` hold without the rows' locks: only holders of
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
END $$;
