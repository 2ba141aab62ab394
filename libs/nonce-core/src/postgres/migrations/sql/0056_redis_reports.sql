-- Whether workers reach Redis: one that is away for long is told of in every mode.

CREATE TABLE :schema.redis_report (
  reporter    uuid PRIMARY KEY,
  down_since  timestamptz,
  reported_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE :schema.redis_report IS
  'One row per worker that uses Redis; what was reported a minute ago or longer says nothing any more.';
