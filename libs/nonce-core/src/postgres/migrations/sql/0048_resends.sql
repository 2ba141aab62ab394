-- How often the bytes of a nonce were sent again: counted before each attempt, so that no restart of a
-- worker makes a storm.
ALTER TABLE :schema.submitter_nonce_allocation
  ADD COLUMN resends           integer NOT NULL DEFAULT 0,
  ADD COLUMN resends_in_minute integer NOT NULL DEFAULT 0,
  ADD COLUMN resend_minute_at  timestamptz;
COMMENT ON COLUMN :schema.submitter_nonce_allocation.resends IS
  'Attempts to send its present bytes again; a higher fee begins anew.';
COMMENT ON COLUMN :schema.submitter_nonce_allocation.resends_in_minute IS
  'Those of them in the minute that began at resend_minute_at.';
COMMENT ON COLUMN :schema.submitter_nonce_allocation.resend_minute_at IS
  'Begin of the minute in which attempts are counted; null before the first.';
