-- What any node can tell about the way from a fast store to Postgres, not the worker alone: when a
-- worker last brought events to their rows, and what last kept one from it.
ALTER TABLE :schema.flush_worker
  ADD COLUMN last_success_at timestamptz,
  ADD COLUMN last_failure_at timestamptz,
  ADD COLUMN last_failure text;
