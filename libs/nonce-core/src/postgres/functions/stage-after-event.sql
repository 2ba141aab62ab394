-- What an event about a grant of a fast store makes of its row.

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

-- The stage of a row after an event about its own grant. `is_news` is false for a word that came
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
$$;
