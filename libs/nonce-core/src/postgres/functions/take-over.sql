-- The way of one submitter from its fast store to Postgres.

-- Ends the fast epoch `p_epoch` in favour of the reliable engine. `p_retired_next` is where its store
-- ended it, after all it knew became rows here; null = the store could not be asked, then a strict
-- epoch is walked and a relaxed one quarantined (change_epoch). `p_epoch` is null where no fast epoch
-- was seen to rule: that is right as long as no store was told of the present one.
-- Guarantee: an epoch is ended once, however many ask and however often; nothing ends while the mode
-- is another than the one the asker knows, or entitles the submitter to its fast store.
-- Replies `taken` (also when the reliable engine has it already) | `mode` | `stale`: another fast
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

-- The same for many, each with a verdict of its own: all that are `taken` commit together.
-- Locks state rows in key order; with `p_skip_locked` one that somebody else holds is left alone and
-- answered `contended`, so that it keeps no other waiting.
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
END $$;
