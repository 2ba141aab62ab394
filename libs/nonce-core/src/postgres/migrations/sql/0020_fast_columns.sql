-- What rows of fast engines need: their order among events, and which epoch's store was handed them.

ALTER TABLE :schema.submitter_nonce_allocation
  ADD COLUMN rank integer NOT NULL DEFAULT 0,
  ADD COLUMN loaded_epoch bigint,
  ADD COLUMN loan bigint;
ALTER TABLE :schema.submitter_nonce_state ADD COLUMN loan bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN :schema.submitter_nonce_state.loan IS
  'Number of the last batch of free nonces that was handed to a fast store.';
COMMENT ON COLUMN :schema.submitter_nonce_allocation.loan IS
  'The batch in which this nonce was handed over; the fast store knows which batches reached it.';
COMMENT ON COLUMN :schema.submitter_nonce_allocation.rank IS
  'How far the events of this grant were applied; order of truth is (epoch, generation, rank).';
COMMENT ON COLUMN :schema.submitter_nonce_allocation.loaded_epoch IS
  'The fast store of this epoch was handed this nonce as a free one.';
COMMENT ON COLUMN :schema.submitter_nonce_allocation.shared IS
  'More than one holder may have been answered with it and may have sent without an intent.';

-- Another owner only where the nonce is granted anew, and never clean once it may be out. A later
-- grant is one of a later epoch, or of a higher generation in the same.
DROP TRIGGER allocation_keeps_its_past ON :schema.submitter_nonce_allocation;
CREATE TRIGGER allocation_keeps_its_past BEFORE UPDATE ON :schema.submitter_nonce_allocation
  FOR EACH ROW WHEN (
    NEW.submitter <> OLD.submitter
    OR NEW.nonce <> OLD.nonce
    OR NEW.chain_generation <> OLD.chain_generation
    OR (NEW.id <> OLD.id AND NOT (
      OLD.stage IN ('REUSABLE', 'QUARANTINED', 'GRANTED')
      AND (NEW.epoch, NEW.generation) > (OLD.epoch, OLD.generation)))
    OR (OLD.stage = 'QUARANTINED' AND NEW.stage = 'GRANTED' AND NEW.source <> 'replacement')
    OR (OLD.source = 'replacement' AND NEW.source <> 'replacement')
    OR (OLD.hashes IS NOT NULL AND NOT (coalesce(NEW.hashes, '{}') @> OLD.hashes)))
  EXECUTE FUNCTION :schema.refuse(
    'a nonce keeps its key, its hashes and its taint, and changes owner only with a later grant');

-- A fast grant may have been sent before its row came into being.
DROP TRIGGER allocation_starts_by_the_table ON :schema.submitter_nonce_allocation;
CREATE TRIGGER allocation_starts_by_the_table BEFORE INSERT ON :schema.submitter_nonce_allocation
  FOR EACH ROW WHEN (
    NEW.stage NOT IN ('GRANTED', 'INTENT', 'BROADCAST', 'QUARANTINED', 'REUSABLE', 'ASSERTED'))
  EXECUTE FUNCTION :schema.refuse('a row does not start in this stage');

-- What may be issued again and no fast store was handed yet.
CREATE INDEX allocation_unloaded ON :schema.submitter_nonce_allocation (release_at)
  WHERE loaded_epoch IS NULL AND stage IN ('REUSABLE', 'QUARANTINED');
CREATE INDEX state_fast_epochs ON :schema.submitter_nonce_state (submitter)
  WHERE engine = 'performance' AND incarnation IS NOT NULL;
