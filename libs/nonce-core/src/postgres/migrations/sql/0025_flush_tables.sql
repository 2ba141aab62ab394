-- Who flushes which shard, and events that could not be applied.

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
  FOR EACH ROW EXECUTE FUNCTION :schema.refuse('a dead letter is never deleted');
