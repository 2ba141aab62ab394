-- What people are called for, and whether they were.

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
  WHERE raised_told_at IS NULL OR (cleared_at IS NOT NULL AND cleared_told_at IS NULL);
