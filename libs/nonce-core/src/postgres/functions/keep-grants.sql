-- Keeps grants that hold their row no more, or never did.

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
END $$;
