-- Full reconciliations: what was asked for, how far it is, and what it found.

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
CREATE INDEX reconciliation_started ON :schema.reconciliation (started_at);
