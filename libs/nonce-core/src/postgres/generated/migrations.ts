// Generated from postgres/migrations/sql/*.sql by `npm run generate`. Edit the .sql files.

export const MIGRATION_SCRIPTS = {
  '0001_types_and_tables': `-- Tables of the authority. Text keys use the C collation: byte order, equal to the sort order of
-- the program, and faster to compare.

CREATE TYPE :schema.allocation_stage AS ENUM (
  'GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING',
  'ASSERTED', 'CONFIRMED', 'FINAL', 'BURNT', 'CONSUMED_EXTERNAL', 'REUSABLE'
);
CREATE TYPE :schema.allocation_exposure AS ENUM ('declared', 'inferred', 'assumed');
CREATE TYPE :schema.allocation_source AS ENUM ('fresh', 'recycled', 'replacement');
CREATE TYPE :schema.engine_name AS ENUM (
  'reliable', 'performance', 'sequence', 'lease', 'segment', 'dual-write'
);

CREATE TABLE :schema.submitter_nonce_state (
  submitter             text COLLATE "C" PRIMARY KEY,
  chain_id              bigint NOT NULL GENERATED ALWAYS AS (split_part(submitter, ':', 2)::bigint) STORED,
  chain_generation      integer NOT NULL DEFAULT 1,
  genesis_hash          text,
  epoch                 bigint NOT NULL DEFAULT 1,
  engine                :schema.engine_name NOT NULL DEFAULT 'reliable',
  incarnation           text,
  base                  bigint NOT NULL,
  next_local_nonce      bigint NOT NULL,
  ceiling               bigint NOT NULL,
  walk_cursor           bigint NOT NULL DEFAULT 0,
  walk_end              bigint NOT NULL DEFAULT 0,
  chain_latest_count    bigint,
  chain_finalized_count bigint,
  last_chain_nonce      bigint GENERATED ALWAYS AS (nullif(chain_finalized_count, 0) - 1) STORED,
  aligned_at            timestamptz,
  reclaim_at            timestamptz NOT NULL DEFAULT 'infinity',
  max_in_flight         integer,
  default_ttl_ms        integer,
  default_exposure      :schema.allocation_exposure,
  label                 text,
  paused_at             timestamptz,
  paused_reason         text,
  created_at            timestamptz NOT NULL DEFAULT now(),
  updated_at            timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT state_epoch_positive CHECK (epoch >= 1 AND chain_generation >= 1),
  CONSTRAINT state_range_is_ordered
    CHECK (0 <= base AND base <= next_local_nonce AND next_local_nonce <= ceiling),
  CONSTRAINT state_ceiling_is_exact CHECK (ceiling <= 9007199254740991),
  CONSTRAINT state_walk_is_ordered CHECK (0 <= walk_cursor AND walk_cursor <= walk_end),
  CONSTRAINT state_finalized_below_latest
    CHECK (chain_finalized_count IS NULL OR chain_finalized_count <= chain_latest_count),
  CONSTRAINT state_window_not_negative CHECK (max_in_flight >= 0)
) WITH (fillfactor = 40);
COMMENT ON TABLE :schema.submitter_nonce_state IS
  'One row per submitter: the authority over which engine may issue which nonces.';
COMMENT ON COLUMN :schema.submitter_nonce_state.reclaim_at IS
  'No reservation of this submitter passes its deadline before this instant; found by the sweep.';
COMMENT ON COLUMN :schema.submitter_nonce_state.walk_cursor IS
  'Next nonce of closed strict ranges to be looked at once; every nonce below walk_end without a row was never exposed.';

CREATE INDEX state_reclaim_due ON :schema.submitter_nonce_state (reclaim_at)
  WHERE reclaim_at < 'infinity';
CREATE INDEX state_alignment_due ON :schema.submitter_nonce_state (chain_id, aligned_at NULLS FIRST);

CREATE TABLE :schema.submitter_nonce_allocation (
  submitter        text COLLATE "C" NOT NULL,
  chain_generation integer NOT NULL,
  nonce            bigint NOT NULL,
  id               uuid NOT NULL,
  stage            :schema.allocation_stage NOT NULL,
  status           text NOT NULL GENERATED ALWAYS AS (
    CASE
      WHEN stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING') THEN 'RESERVED'
      WHEN stage = 'REUSABLE' THEN 'RECYCLABLE'
      ELSE 'USED'
    END) STORED,
  source           :schema.allocation_source NOT NULL,
  exposure         :schema.allocation_exposure NOT NULL,
  engine           :schema.engine_name NOT NULL,
  generation       integer NOT NULL DEFAULT 1,
  epoch            bigint NOT NULL,
  operation_id     text,
  tx_hash          text,
  hashes           text[],
  inherited_hashes integer NOT NULL DEFAULT 0,
  shared           boolean NOT NULL DEFAULT false,
  raw_tx           bytea,
  proof            text,
  note             text,
  metadata         jsonb,
  block_number     bigint,
  block_hash       text,
  deadline         timestamptz,
  due_at           timestamptz,
  release_at       timestamptz,
  stuck_since      timestamptz,
  created_at       timestamptz NOT NULL,
  updated_at       timestamptz NOT NULL,
  PRIMARY KEY (submitter, chain_generation, nonce),
  CONSTRAINT allocation_nonce_is_exact CHECK (nonce BETWEEN 0 AND 9007199254740990),
  CONSTRAINT allocation_deadline_while_granted CHECK ((stage = 'GRANTED') = (deadline IS NOT NULL)),
  CONSTRAINT allocation_exposed_is_never_reusable
    CHECK (stage <> 'REUSABLE' OR (hashes IS NULL AND source <> 'replacement' AND NOT shared)),
  CONSTRAINT allocation_exposed_has_a_hash
    CHECK (stage NOT IN ('INTENT', 'BROADCAST', 'MINED', 'CONFIRMED') OR hashes IS NOT NULL),
  CONSTRAINT allocation_mined_has_a_block
    CHECK (stage NOT IN ('MINED', 'CONFIRMED') OR (block_number IS NOT NULL AND block_hash IS NOT NULL)),
  CONSTRAINT allocation_release_while_quarantined CHECK (stage = 'QUARANTINED' OR release_at IS NULL),
  CONSTRAINT allocation_proof_is_known CHECK (proof IN ('receipt', 'count')),
  CONSTRAINT allocation_hash_is_canonical CHECK (tx_hash ~ '^0x[0-9a-f]{64}$'),
  CONSTRAINT allocation_texts_are_short CHECK (length(note) <= 500 AND length(operation_id) <= 200)
) WITH (fillfactor = 80);
COMMENT ON TABLE :schema.submitter_nonce_allocation IS
  'One row per nonce. No foreign key to the state row: rows are inserted only under its lock.';

COMMENT ON COLUMN :schema.submitter_nonce_allocation.inherited_hashes IS
  'How many of the first hashes are of earlier holders: they mean that the present one did not succeed.';
COMMENT ON COLUMN :schema.submitter_nonce_allocation.shared IS
  'Answered to more than one call of its operation, one of which may send without an intent.';

CREATE UNIQUE INDEX allocation_id ON :schema.submitter_nonce_allocation (id);
-- What may be issued again, lowest first: proven unsent, or quarantined and released.
CREATE INDEX allocation_reissue
  ON :schema.submitter_nonce_allocation (submitter, chain_generation, nonce)
  WHERE stage IN ('REUSABLE', 'QUARANTINED');
-- Everything in flight; the deadline is set on GRANTED rows only, so a range scan finds the overdue.
CREATE INDEX allocation_reserved ON :schema.submitter_nonce_allocation (submitter, deadline)
  WHERE stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING');
-- What the tracker looks at next.
CREATE INDEX allocation_due ON :schema.submitter_nonce_allocation (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX allocation_stuck ON :schema.submitter_nonce_allocation (stuck_since)
  WHERE stuck_since IS NOT NULL;
-- A caller's assertion ends by the finalized count.
CREATE INDEX allocation_asserted
  ON :schema.submitter_nonce_allocation (submitter, chain_generation, nonce)
  WHERE stage = 'ASSERTED';

CREATE TABLE :schema.allocation_grant (
  id               uuid PRIMARY KEY,
  submitter        text COLLATE "C" NOT NULL,
  chain_generation integer NOT NULL,
  nonce            bigint NOT NULL,
  generation       integer NOT NULL,
  source           :schema.allocation_source NOT NULL,
  ended_stage      :schema.allocation_stage NOT NULL,
  operation_id     text,
  hashes           text[],
  inherited_hashes integer NOT NULL DEFAULT 0,
  note             text,
  granted_at       timestamptz NOT NULL,
  ended_at         timestamptz NOT NULL
);
COMMENT ON TABLE :schema.allocation_grant IS
  'Grants whose nonce was granted again: the history of a nonce, and the proof that a late holder is fenced.';
CREATE INDEX allocation_grant_of_nonce
  ON :schema.allocation_grant (submitter, chain_generation, nonce, generation);

CREATE TABLE :schema.operation (
  submitter    text COLLATE "C" NOT NULL,
  operation_id text COLLATE "C" NOT NULL,
  first_nonce  bigint NOT NULL,
  count        integer NOT NULL,
  ids          uuid[] NOT NULL,
  nonces       bigint[] NOT NULL,
  request_hash text,
  settled      jsonb,
  created_at   timestamptz NOT NULL,
  updated_at   timestamptz NOT NULL,
  PRIMARY KEY (submitter, operation_id),
  CONSTRAINT operation_binding_is_whole
    CHECK (count BETWEEN 1 AND 256 AND cardinality(ids) = count AND cardinality(nonces) = count),
  CONSTRAINT operation_settled_is_a_list CHECK (jsonb_typeof(settled) = 'array')
);
COMMENT ON TABLE :schema.operation IS
  'One operation, one binding; outlives the rows it names.';
COMMENT ON COLUMN :schema.operation.settled IS
  'The allocations as they ended, written by settle_operation before their rows may be pruned.';

CREATE TABLE :schema.epoch_log (
  submitter   text COLLATE "C" NOT NULL,
  epoch       bigint NOT NULL,
  engine      :schema.engine_name NOT NULL,
  incarnation text,
  base        bigint NOT NULL,
  ceiling     bigint,
  intents     text NOT NULL DEFAULT 'strict',
  reason      text NOT NULL,
  opened_at   timestamptz NOT NULL DEFAULT now(),
  closed_at   timestamptz,
  PRIMARY KEY (submitter, epoch),
  CONSTRAINT epoch_log_intents_known CHECK (intents IN ('strict', 'relaxed'))
);

CREATE TABLE :schema.api_key (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name       text NOT NULL,
  digest     text NOT NULL UNIQUE,
  scopes     text[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  CONSTRAINT api_key_digest_is_sha256 CHECK (digest ~ '^[0-9a-f]{64}$'),
  CONSTRAINT api_key_scopes_known
    CHECK (scopes <@ ARRAY['nonce:read', 'nonce:allocate', 'ops:read', 'ops:write'])
);

CREATE TABLE :schema.audit (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at      timestamptz NOT NULL DEFAULT now(),
  actor   text NOT NULL,
  action  text NOT NULL,
  subject text NOT NULL,
  reason  text NOT NULL,
  detail  jsonb
);`,
  '0002_guards': `-- The schema refuses what the program promises never happens.

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
  FOR EACH ROW EXECUTE FUNCTION :schema.refuse('the audit is append-only');`,
  '0020_fast_columns': `-- What rows of fast engines need: their order among events, and which epoch's store was handed them.

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
  WHERE engine = 'performance' AND incarnation IS NOT NULL;`,
  '0025_flush_tables': `-- Who flushes which shard, and events that could not be applied.

-- Leases on shards only keep workers from doing the same work: applying an event twice changes
-- nothing, so that a lease that is lost too late or too early costs time and never a row.
CREATE TABLE :schema.flush_shard (
  shard       integer PRIMARY KEY CHECK (shard >= 0),
  worker      text,
  lease_until timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);
COMMENT ON TABLE :schema.flush_shard IS 'One row per shard of the fast store: which worker flushes it.';

-- The slots of dead workers are taken by new ones, so that nothing has to be deleted.
CREATE TABLE :schema.flush_worker (
  slot        integer PRIMARY KEY,
  worker      text NOT NULL UNIQUE,
  lease_until timestamptz NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE :schema.flush_worker IS 'Workers that live, so that each claims its fair share of the shards.';

CREATE TABLE :schema.dead_letter (
  id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  shard       integer NOT NULL,
  entry_id    text NOT NULL,
  submitter   text COLLATE "C",
  nonce       bigint,
  event       text NOT NULL,
  deliveries  integer NOT NULL,
  reason      text NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  resolved_at timestamptz,
  CONSTRAINT dead_letter_of_one_entry UNIQUE (shard, entry_id)
);
COMMENT ON TABLE :schema.dead_letter IS
  'Events that could not be applied; their nonces wait in quarantine until somebody decides.';
CREATE INDEX dead_letter_open ON :schema.dead_letter (created_at, id) WHERE resolved_at IS NULL;

CREATE TRIGGER dead_letter_keeps_its_event BEFORE UPDATE ON :schema.dead_letter
  FOR EACH ROW WHEN (
    NEW.id <> OLD.id OR NEW.shard <> OLD.shard OR NEW.entry_id <> OLD.entry_id
    OR NEW.event <> OLD.event OR NEW.submitter IS DISTINCT FROM OLD.submitter
    OR NEW.nonce IS DISTINCT FROM OLD.nonce OR NEW.created_at <> OLD.created_at
    OR (OLD.resolved_at IS NOT NULL AND NEW.resolved_at IS DISTINCT FROM OLD.resolved_at))
  EXECUTE FUNCTION :schema.refuse('an event that could not be applied is kept as it came');
CREATE TRIGGER dead_letter_is_never_deleted BEFORE DELETE ON :schema.dead_letter
  FOR EACH ROW EXECUTE FUNCTION :schema.refuse('a dead letter is never deleted');`,
  '0030_continuity': `-- What tells a database that goes on from one that was put back to an older state, and what is done
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
CROSS JOIN pg_control_checkpoint() c;`,
  '0040_watch_fast_stores': `-- What any node can tell about the way from a fast store to Postgres, not the worker alone: when a
-- worker last brought events to their rows, and what last kept one from it.
ALTER TABLE :schema.flush_worker
  ADD COLUMN last_success_at timestamptz,
  ADD COLUMN last_failure_at timestamptz,
  ADD COLUMN last_failure text;`,
  '0041_schema_functions': `-- Which functions this schema has: migrations bring tables to the program's version, and functions
-- are applied whole after them.
CREATE TABLE :schema.schema_functions (
  version    integer PRIMARY KEY,
  digest     text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT schema_functions_digest_is_sha256 CHECK (digest ~ '^[0-9a-f]{64}$')
);
COMMENT ON TABLE :schema.schema_functions IS
  'Versions of the functions that were applied; the highest is the one in force.';`,
  '0042_burns': `-- Our own transfers of nothing at a nonce: which of its hashes are theirs, and the bytes of the last.
ALTER TABLE :schema.submitter_nonce_allocation
  ADD COLUMN burn_hashes text[],
  ADD COLUMN burn_tx bytea,
  -- NOT VALID: no row made before has either, so there is nothing to look through under a lock.
  ADD CONSTRAINT allocation_burn_is_whole CHECK (
    (burn_hashes IS NULL) = (burn_tx IS NULL) AND burn_hashes <@ hashes) NOT VALID;
COMMENT ON COLUMN :schema.submitter_nonce_allocation.burn_hashes IS
  'Those of the hashes that close the nonce: they mean that no holder succeeded.';
COMMENT ON COLUMN :schema.submitter_nonce_allocation.burn_tx IS
  'Bytes of the last of them, recorded before they are sent and sent again until one is final.';`,
  '0043_modes': `-- Which mode rules, how it came to rule, and what single submitters follow instead.

-- Text and not an enum: a value that is added to an enum cannot be used in the same transaction.
CREATE TABLE :schema.engine_mode (
  singleton          boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  mode               text NOT NULL,
  epoch              bigint NOT NULL DEFAULT 1,
  since              timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor              text NOT NULL,
  reason             text NOT NULL,
  pinned             boolean NOT NULL DEFAULT false,
  return_to          text,
  dwell_ms           integer NOT NULL DEFAULT 0,
  prefetch_size      integer,
  prefetch_low_water integer,
  prefetch_max       integer,
  pins_version       uuid NOT NULL DEFAULT gen_random_uuid(),
  CONSTRAINT engine_mode_known
    CHECK (mode IN ('RELIABLE', 'DUAL_WRITE', 'PERFORMANCE', 'DEGRADED', 'DRAIN')),
  CONSTRAINT engine_mode_returns_to_a_lasting_one
    CHECK (return_to IN ('RELIABLE', 'DUAL_WRITE', 'PERFORMANCE')),
  CONSTRAINT engine_mode_numbers_not_negative CHECK (epoch >= 1 AND dwell_ms >= 0),
  CONSTRAINT engine_mode_texts_are_short CHECK (length(actor) <= 200 AND length(reason) <= 500),
  CONSTRAINT engine_mode_prefetch_is_whole CHECK (
    num_nulls(prefetch_size, prefetch_low_water, prefetch_max) IN (0, 3)
    AND prefetch_size BETWEEN 1 AND prefetch_max AND prefetch_low_water BETWEEN 0 AND prefetch_max)
) WITH (fillfactor = 50);
COMMENT ON TABLE :schema.engine_mode IS
  'One row: how nonces are issued by the whole installation. Nodes and fast stores follow it.';
COMMENT ON COLUMN :schema.engine_mode.epoch IS
  'Rises with every switch; fast stores and nodes that still know a lower one are refused.';
COMMENT ON COLUMN :schema.engine_mode.pinned IS
  'An operator has decided: nothing returns or promotes by itself.';
COMMENT ON COLUMN :schema.engine_mode.pins_version IS
  'Another one with each change of a pin: nodes fetch the pins when they know another. Not a number, which might come again after a restore.';

-- The edges. A test compares them with modesAfter of the program.
CREATE FUNCTION :schema.mode_may_follow(previous text, following text)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE previous
    WHEN 'RELIABLE' THEN following IN ('DUAL_WRITE', 'PERFORMANCE')
    WHEN 'DUAL_WRITE' THEN following IN ('PERFORMANCE', 'RELIABLE')
    WHEN 'PERFORMANCE' THEN following IN ('DRAIN', 'RELIABLE', 'DUAL_WRITE', 'DEGRADED')
    WHEN 'DRAIN' THEN following IN ('RELIABLE', 'PERFORMANCE')
    WHEN 'DEGRADED' THEN following IN ('PERFORMANCE', 'RELIABLE')
    ELSE false
  END
$$;
CREATE TRIGGER engine_mode_moves_by_the_table BEFORE UPDATE ON :schema.engine_mode
  FOR EACH ROW WHEN (
    NEW.epoch < OLD.epoch
    OR (NEW.mode <> OLD.mode
      AND (NEW.epoch = OLD.epoch OR NOT :schema.mode_may_follow(OLD.mode, NEW.mode))))
  EXECUTE FUNCTION :schema.refuse('a mode is followed by the table, each time in a higher epoch');
CREATE TRIGGER engine_mode_is_never_deleted BEFORE DELETE ON :schema.engine_mode
  FOR EACH ROW EXECUTE FUNCTION :schema.refuse('the mode is never deleted');

CREATE TABLE :schema.mode_switch (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  from_mode    text NOT NULL,
  to_mode      text NOT NULL,
  epoch        bigint NOT NULL UNIQUE,
  actor        text NOT NULL,
  reason       text NOT NULL,
  automatic    boolean NOT NULL,
  state        text NOT NULL DEFAULT 'running',
  runner       text NOT NULL,
  heartbeat_at timestamptz NOT NULL,
  started_at   timestamptz NOT NULL,
  ended_at     timestamptz,
  phases       jsonb NOT NULL,
  waits_for    jsonb,
  CONSTRAINT mode_switch_state_known CHECK (state IN ('running', 'done', 'aborted')),
  CONSTRAINT mode_switch_ends_once CHECK ((state = 'running') = (ended_at IS NULL)),
  CONSTRAINT mode_switch_waits_while_it_runs CHECK (state = 'running' OR waits_for IS NULL),
  CONSTRAINT mode_switch_phases_are_a_list CHECK (jsonb_typeof(phases) = 'array')
) WITH (fillfactor = 50);
COMMENT ON TABLE :schema.mode_switch IS
  'Every switch: who, why, when, and how long its phases took. Epoch, mode and actor are facts from the start.';
COMMENT ON COLUMN :schema.mode_switch.runner IS
  'Node that goes through the phases; another one goes on when it is silent for too long.';
CREATE UNIQUE INDEX mode_switch_running ON :schema.mode_switch (state) WHERE state = 'running';

CREATE TRIGGER mode_switch_keeps_its_facts BEFORE UPDATE ON :schema.mode_switch
  FOR EACH ROW WHEN (
    OLD.state <> 'running'
    OR (NEW.id, NEW.from_mode, NEW.to_mode, NEW.epoch, NEW.actor, NEW.reason, NEW.automatic,
      NEW.started_at) IS DISTINCT FROM (OLD.id, OLD.from_mode, OLD.to_mode, OLD.epoch, OLD.actor,
      OLD.reason, OLD.automatic, OLD.started_at))
  EXECUTE FUNCTION :schema.refuse('a switch keeps its facts, and nothing of it changes once it ended');
CREATE TRIGGER mode_switch_is_never_deleted BEFORE DELETE ON :schema.mode_switch
  FOR EACH ROW EXECUTE FUNCTION :schema.refuse('a switch is never deleted');

ALTER TABLE :schema.submitter_nonce_state
  ADD COLUMN pinned_mode text,
  -- NOT VALID: no row has one yet, so there is nothing to look through under a lock.
  ADD CONSTRAINT state_pinned_mode_is_a_lasting_one
    CHECK (pinned_mode IN ('RELIABLE', 'DUAL_WRITE', 'PERFORMANCE')) NOT VALID;
COMMENT ON COLUMN :schema.submitter_nonce_state.pinned_mode IS
  'Followed instead of the mode, save that DRAIN and DEGRADED take every submitter from its fast store.';
CREATE INDEX state_pinned ON :schema.submitter_nonce_state (submitter)
  WHERE pinned_mode IS NOT NULL;

ALTER TABLE :schema.epoch_log ADD COLUMN retired_next bigint;
COMMENT ON COLUMN :schema.epoch_log.retired_next IS
  'First fresh nonce that its store never issued, when it told so as it ended the epoch: then all that was granted is known.';

-- What a drain waits for: grants of fast epochs that nobody has settled yet.
CREATE INDEX allocation_fast_grants ON :schema.submitter_nonce_allocation (submitter)
  WHERE stage = 'GRANTED' AND engine = 'performance';`,
  '0048_resends': `-- How often the bytes of a nonce were sent again: counted before each attempt, so that no restart of a
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
  'Begin of the minute in which attempts are counted; null before the first.';`,
  '0050_chain_generations': `-- What a chain that was reset, a reorg below the issuing floor and a delegated account need.

ALTER TABLE :schema.submitter_nonce_state
  ADD COLUMN reset_seen_at    timestamptz,
  ADD COLUMN reset_genesis    text,
  ADD COLUMN generation_epoch bigint NOT NULL DEFAULT 0,
  ADD COLUMN delegated_at     timestamptz;
COMMENT ON COLUMN :schema.submitter_nonce_state.reset_seen_at IS
  'Since when the chain shows another genesis than the remembered one: nothing is issued until it is re-baselined.';
COMMENT ON COLUMN :schema.submitter_nonce_state.generation_epoch IS
  'First epoch of this chain generation; grants of earlier epochs were for a chain that is gone.';
COMMENT ON COLUMN :schema.submitter_nonce_state.delegated_at IS
  'Since when the account is seen to delegate to code (EIP-7702): pools take one transaction of it at a time.';

ALTER TABLE :schema.submitter_nonce_allocation
  ADD COLUMN superseded boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN :schema.submitter_nonce_allocation.superseded IS
  'Of a chain generation that ended: readable, and closed to its holder.';

-- In which block each raise of the issuing floor was seen: what a proven reorg may take back.
CREATE TABLE :schema.floor_raise (
  submitter        text COLLATE "C" NOT NULL,
  chain_generation integer NOT NULL,
  count            bigint NOT NULL,
  previous_count   bigint NOT NULL,
  block_number     bigint NOT NULL,
  block_hash       text NOT NULL,
  seen_at          timestamptz NOT NULL,
  PRIMARY KEY (submitter, chain_generation, count),
  CONSTRAINT floor_raise_is_a_raise CHECK (previous_count < count)
);
COMMENT ON TABLE :schema.floor_raise IS
  'The last raises of the issuing floor, within the reorg depth; at most 64 of a submitter.';`,
  '0051_heads': `-- The followed heads of the chains, and how a block finds the rows of its transactions.

CREATE TABLE :schema.chain_head (
  chain_id    bigint PRIMARY KEY CHECK (chain_id > 0),
  head_number bigint NOT NULL,
  head_hash   text NOT NULL,
  updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT chain_head_hash_is_canonical CHECK (head_hash ~ '^0x[0-9a-f]{64}$')
) WITH (fillfactor = 50);
COMMENT ON TABLE :schema.chain_head IS
  'One row per chain: the head that some worker followed last. Each step names the head it begins at.';

CREATE TABLE :schema.chain_header (
  chain_id    bigint NOT NULL,
  slot        integer NOT NULL,
  number      bigint NOT NULL,
  hash        text NOT NULL,
  parent_hash text NOT NULL,
  PRIMARY KEY (chain_id, slot),
  CONSTRAINT chain_header_slot_of_number CHECK (slot = number % 1024),
  CONSTRAINT chain_header_hashes_are_canonical
    CHECK (hash ~ '^0x[0-9a-f]{64}$' AND parent_hash ~ '^0x[0-9a-f]{64}$')
) WITH (fillfactor = 50);
COMMENT ON TABLE :schema.chain_header IS
  'A ring of the newest 1,024 headers per chain. What lies above the head, or does not link up with it, is left over from replaced blocks.';

-- Blocks name transactions: the rows that wait for them, and those in replaced or confirmed blocks.
CREATE INDEX allocation_tx_hash ON :schema.submitter_nonce_allocation (tx_hash)
  WHERE due_at IS NOT NULL;
CREATE INDEX allocation_more_hashes ON :schema.submitter_nonce_allocation USING gin (hashes)
  WHERE due_at IS NOT NULL AND cardinality(hashes) > 1;
CREATE INDEX allocation_block ON :schema.submitter_nonce_allocation (block_number)
  WHERE stage IN ('MINED', 'CONFIRMED');`,
  '0052_reconciliations': `-- Full reconciliations: what was asked for, how far it is, and what it found.

CREATE TABLE :schema.reconciliation (
  id           uuid PRIMARY KEY,
  scope        text NOT NULL CHECK (scope IN ('all', 'hot')),
  dry_run      boolean NOT NULL,
  actor        text NOT NULL,
  reason       text NOT NULL,
  state        text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'aborted')),
  total        bigint NOT NULL,
  cursor       text NOT NULL DEFAULT '',
  counts       jsonb NOT NULL,
  problems     jsonb NOT NULL DEFAULT '[]',
  runner       text,
  heartbeat_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at     timestamptz,
  CONSTRAINT reconciliation_ends_once CHECK ((state = 'running') = (ended_at IS NULL))
);
COMMENT ON TABLE :schema.reconciliation IS
  'One row per full reconciliation. The cursor is the last submitter done: whoever goes on begins behind it.';
-- One that changes something and one that only looks may run at a time.
CREATE UNIQUE INDEX reconciliation_running ON :schema.reconciliation (dry_run)
  WHERE state = 'running';
CREATE INDEX reconciliation_started ON :schema.reconciliation (started_at);`,
  '0053_alarms': `-- What people are called for, and whether they were.

CREATE TABLE :schema.alarm (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind            text NOT NULL,
  subject         text NOT NULL,
  value           bigint NOT NULL,
  threshold       bigint NOT NULL,
  opened_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  cleared_at      timestamptz,
  raised_told_at  timestamptz,
  cleared_told_at timestamptz,
  claimed_until   timestamptz NOT NULL DEFAULT '-infinity',
  changed_at      timestamptz NOT NULL GENERATED ALWAYS AS (coalesce(cleared_at, opened_at)) STORED
);
COMMENT ON TABLE :schema.alarm IS
  'One row per alarm, open until its figure fell. It is told by one worker, again until somebody was reached.';
CREATE UNIQUE INDEX alarm_open ON :schema.alarm (kind, subject) WHERE cleared_at IS NULL;
CREATE INDEX alarm_changed ON :schema.alarm (changed_at);
CREATE INDEX alarm_untold ON :schema.alarm (opened_at)
  WHERE raised_told_at IS NULL OR (cleared_at IS NOT NULL AND cleared_told_at IS NULL);`,
  '0054_open_walks': `-- Finds what is left over from closed strict ranges without a look at every account.

CREATE INDEX state_open_walks ON :schema.submitter_nonce_state (submitter)
  WHERE walk_cursor < walk_end;`,
  '0055_tracked_transitions': `-- What became of transactions, told in the commit that decided it: whoever asks later misses nothing.

CREATE TABLE :schema.tracked_transition (
  written_by    xid8 NOT NULL DEFAULT pg_current_xact_id(),
  id            bigint GENERATED ALWAYS AS IDENTITY,
  at            timestamptz NOT NULL DEFAULT clock_timestamp(),
  allocation_id uuid NOT NULL,
  submitter     text NOT NULL,
  nonce         bigint NOT NULL,
  from_stage    :schema.allocation_stage NOT NULL,
  to_stage      :schema.allocation_stage NOT NULL,
  stuck         boolean NOT NULL,
  tx_hash       text,
  block_number  bigint,
  reason        text NOT NULL,
  PRIMARY KEY (written_by, id)
);
COMMENT ON TABLE :schema.tracked_transition IS
  'Moves of nonces by the workers, read in the order of the key and kept for some days. Numbers are drawn before a commit and seen after it: readers stop at the oldest transaction that still writes.';`,
  '0056_redis_reports': `-- Whether workers reach Redis: one that is away for long is told of in every mode.

CREATE TABLE :schema.redis_report (
  reporter    uuid PRIMARY KEY,
  down_since  timestamptz,
  reported_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE :schema.redis_report IS
  'One row per worker that uses Redis; what was reported a minute ago or longer says nothing any more.';`,
} as const;

export type MigrationScript = keyof typeof MIGRATION_SCRIPTS;
