-- Which mode rules, how it came to rule, and what single submitters follow instead.

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
  WHERE stage = 'GRANTED' AND engine = 'performance';
