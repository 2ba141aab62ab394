-- Our own transfers of nothing at a nonce: which of its hashes are theirs, and the bytes of the last.
ALTER TABLE :schema.submitter_nonce_allocation
  ADD COLUMN burn_hashes text[],
  ADD COLUMN burn_tx bytea,
  -- NOT VALID: no row made before has either, so there is nothing to look through under a lock.
  ADD CONSTRAINT allocation_burn_is_whole CHECK (
    (burn_hashes IS NULL) = (burn_tx IS NULL) AND burn_hashes <@ hashes) NOT VALID;
COMMENT ON COLUMN :schema.submitter_nonce_allocation.burn_hashes IS
  'Those of the hashes that close the nonce: they mean that no holder succeeded.';
COMMENT ON COLUMN :schema.submitter_nonce_allocation.burn_tx IS
  'Bytes of the last of them, recorded before they are sent and sent again until one is final.';
