-- The schema refuses what the program promises never happens.

CREATE FUNCTION :schema.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'noncekit: % on % is refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0]
    USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- WHEN conditions are evaluated without calling the function: a guard costs next to nothing until
-- it strikes. The form of the key is checked on insert only, and a key never changes: as a CHECK the
-- pattern would be matched at every update of a hot row (6 microseconds of 17).
CREATE TRIGGER state_submitter_is_canonical BEFORE INSERT ON :schema.submitter_nonce_state
  FOR EACH ROW WHEN (NEW.submitter !~ '^eip155:[1-9][0-9]{0,15}:0x[0-9a-f]{40}$')
  EXECUTE FUNCTION :schema.refuse('a submitter is written as eip155:<chain>:<lower-case address>');
CREATE TRIGGER state_never_falls BEFORE UPDATE ON :schema.submitter_nonce_state
  FOR EACH ROW WHEN (
    NEW.submitter <> OLD.submitter
    OR NEW.epoch < OLD.epoch
    OR NEW.chain_generation < OLD.chain_generation
    OR (NEW.chain_generation = OLD.chain_generation AND (
      NEW.ceiling < OLD.ceiling
      OR NEW.base < OLD.base
      OR (NEW.epoch = OLD.epoch AND NEW.next_local_nonce < OLD.next_local_nonce)
      OR coalesce(NEW.chain_finalized_count, -1) < coalesce(OLD.chain_finalized_count, -1))))
  EXECUTE FUNCTION :schema.refuse(
    'a key never changes; an epoch, base, counter, ceiling or finalized floor never falls');
CREATE TRIGGER state_is_never_deleted BEFORE DELETE ON :schema.submitter_nonce_state
  FOR EACH ROW EXECUTE FUNCTION :schema.refuse('a state row is never deleted');

-- The stage table. A test compares it with TRANSITIONS and INITIAL_STAGES of the program.
CREATE FUNCTION :schema.may_follow(previous :schema.allocation_stage, following :schema.allocation_stage)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE previous
    WHEN 'GRANTED' THEN following IN
      ('INTENT', 'BROADCAST', 'ASSERTED', 'QUARANTINED', 'REUSABLE', 'CONSUMED_EXTERNAL')
    WHEN 'INTENT' THEN following IN
      ('BROADCAST', 'MINED', 'BURNING', 'QUARANTINED', 'ASSERTED', 'CONSUMED_EXTERNAL')
    WHEN 'BROADCAST' THEN following IN ('MINED', 'BURNING', 'ASSERTED', 'CONSUMED_EXTERNAL')
    WHEN 'MINED' THEN following IN ('CONFIRMED', 'BROADCAST')
    WHEN 'QUARANTINED' THEN following IN
      ('INTENT', 'GRANTED', 'MINED', 'BURNING', 'ASSERTED', 'CONSUMED_EXTERNAL', 'REUSABLE')
    WHEN 'BURNING' THEN following IN ('MINED', 'BURNT', 'CONSUMED_EXTERNAL')
    WHEN 'ASSERTED' THEN following IN ('FINAL', 'CONSUMED_EXTERNAL')
    WHEN 'CONFIRMED' THEN following IN ('FINAL', 'BROADCAST')
    WHEN 'REUSABLE' THEN following IN ('GRANTED', 'INTENT', 'QUARANTINED', 'CONSUMED_EXTERNAL')
    ELSE false
  END
$$;

CREATE TRIGGER allocation_stage_moves_by_the_table BEFORE UPDATE ON :schema.submitter_nonce_allocation
  FOR EACH ROW WHEN (OLD.stage <> NEW.stage AND NOT :schema.may_follow(OLD.stage, NEW.stage))
  EXECUTE FUNCTION :schema.refuse('this stage may not follow that one');
CREATE TRIGGER allocation_starts_by_the_table BEFORE INSERT ON :schema.submitter_nonce_allocation
  FOR EACH ROW WHEN (NEW.stage NOT IN ('GRANTED', 'INTENT', 'QUARANTINED', 'REUSABLE', 'ASSERTED'))
  EXECUTE FUNCTION :schema.refuse('a row does not start in this stage');
-- Another owner only where the nonce is granted anew, and never clean once it may be out.
CREATE TRIGGER allocation_keeps_its_past BEFORE UPDATE ON :schema.submitter_nonce_allocation
  FOR EACH ROW WHEN (
    NEW.submitter <> OLD.submitter
    OR NEW.nonce <> OLD.nonce
    OR NEW.chain_generation <> OLD.chain_generation
    OR (NEW.id <> OLD.id AND NOT (
      NEW.stage = 'GRANTED' AND OLD.stage IN ('REUSABLE', 'QUARANTINED')
      AND NEW.generation = OLD.generation + 1))
    OR (OLD.stage = 'QUARANTINED' AND NEW.stage = 'GRANTED' AND NEW.source <> 'replacement')
    OR (OLD.source = 'replacement' AND NEW.source <> 'replacement')
    OR (OLD.hashes IS NOT NULL AND NOT (coalesce(NEW.hashes, '{}') @> OLD.hashes)))
  EXECUTE FUNCTION :schema.refuse(
    'a nonce keeps its key, its hashes and its taint, and changes owner only with a new grant');
CREATE TRIGGER allocation_is_never_deleted BEFORE DELETE ON :schema.submitter_nonce_allocation
  FOR EACH ROW EXECUTE FUNCTION :schema.refuse('a nonce is never deleted');
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON :schema.audit
  FOR EACH ROW EXECUTE FUNCTION :schema.refuse('the audit is append-only');
