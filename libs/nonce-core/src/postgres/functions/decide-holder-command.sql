-- What a holder's command does in each stage: `move:<STAGE>`, `stay`, `same` or `refuse:<CODE>`.
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
$$;
