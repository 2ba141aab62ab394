-- Which functions this schema has: migrations bring tables to the program's version, and functions
-- are applied whole after them.
CREATE TABLE :schema.schema_functions (
  version    integer PRIMARY KEY,
  digest     text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT schema_functions_digest_is_sha256 CHECK (digest ~ '^[0-9a-f]{64}$')
);
COMMENT ON TABLE :schema.schema_functions IS
  'Versions of the functions that were applied; the highest is the one in force.';
