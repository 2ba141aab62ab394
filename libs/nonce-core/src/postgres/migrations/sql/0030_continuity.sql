-- What tells a database that goes on from one that was put back to an older state, and what is done
-- with submitters whose grants it may have forgotten.

CREATE TABLE :schema.server_continuity (
  system_id   text NOT NULL,
  started_at  text COLLATE "C" NOT NULL,
  timeline    text NOT NULL,
  lsn         text NOT NULL,
  how         text NOT NULL,
  verified_by text NOT NULL,
  at          timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (system_id, started_at),
  CONSTRAINT server_continuity_how_known
    CHECK (how IN ('migrated', 'first use', 'witnessed', 'confirmed'))
);
COMMENT ON TABLE :schema.server_continuity IS
  'Runs of the server that somebody vouched for. A witnessed run without a row here was lost.';
COMMENT ON COLUMN :schema.server_continuity.lsn IS
  'Where the log stood at the start of the run, bytes: commits above it were lost before.';
CREATE TRIGGER server_continuity_is_append_only BEFORE UPDATE OR DELETE ON :schema.server_continuity
  FOR EACH ROW EXECUTE FUNCTION :schema.refuse('a run that was vouched for stays so');

ALTER TABLE :schema.submitter_nonce_state
  ADD COLUMN recovery_since  timestamptz,
  ADD COLUMN recovery_reason text,
  ADD COLUMN recovery_epoch  bigint,
  ADD COLUMN recovery_cursor bigint,
  ADD COLUMN recovery_server text;
COMMENT ON COLUMN :schema.submitter_nonce_state.recovery_since IS
  'In recovery: quarantined nonces of the time before the loss are still open.';
COMMENT ON COLUMN :schema.submitter_nonce_state.recovery_epoch IS
  'Epoch of the last recovery; grants of earlier ones may have been forgotten in part.';
COMMENT ON COLUMN :schema.submitter_nonce_state.recovery_cursor IS
  'Next nonce without a row that a recovery has still to quarantine; null when it is done.';
COMMENT ON COLUMN :schema.submitter_nonce_state.recovery_server IS
  'Start of the run at which the last recovery was needed: each loss is recovered from once.';
CREATE INDEX state_in_recovery ON :schema.submitter_nonce_state (submitter)
  WHERE recovery_since IS NOT NULL OR recovery_cursor IS NOT NULL;

-- Who brings the schema to this version has the database before his eyes. In full, because functions
-- are applied after the migrations (record_server).
INSERT INTO :schema.server_continuity (system_id, started_at, timeline, lsn, how, verified_by)
SELECT s.system_identifier::text,
  (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint::text,
  substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8),
  pg_wal_lsn_diff(c.checkpoint_lsn, '0/0')::text, 'migrated', 'migration'
FROM pg_control_system() s
CROSS JOIN pg_control_checkpoint() c;
