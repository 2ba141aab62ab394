-- What tells a database that goes on from one that was put back to an older state.

-- When this run of the server began, microseconds since 1970.
CREATE OR REPLACE FUNCTION :schema.server_started_at() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint::text
$$;

-- True, or the error NK001 when another run of the server answers than the one that was verified.
-- Null is not checked. Cheap enough for every hot statement: behind a pooler nothing else tells.
CREATE OR REPLACE FUNCTION :schema.same_server(p_started text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF p_started IS NOT NULL AND p_started <> :schema.server_started_at() THEN
    RAISE EXCEPTION 'noncekit: the server was restarted; continuity has to be verified first'
      USING ERRCODE = 'NK001';
  END IF;
  RETURN true;
END $$;

-- Where the log stood when this run began, bytes: the first checkpoint of a run lies at its start,
-- and a later one only makes the answer too high, which overlooks a loss but invents none.
CREATE OR REPLACE FUNCTION :schema.server_start_lsn() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT pg_wal_lsn_diff(checkpoint_lsn, '0/0')::text FROM pg_control_checkpoint()
$$;

CREATE OR REPLACE FUNCTION :schema.server_timeline() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)
$$;

-- Vouches for the run that answers, if it is the one that was verified; the first word stays.
CREATE OR REPLACE FUNCTION :schema.record_server(p_started text, p_how text, p_by text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM :schema.same_server(p_started);
  INSERT INTO :schema.server_continuity (system_id, started_at, timeline, lsn, how, verified_by)
  SELECT system_identifier::text, :schema.server_started_at(), :schema.server_timeline(),
    :schema.server_start_lsn(), p_how, p_by
  FROM pg_control_system()
  ON CONFLICT (system_id, started_at) DO NOTHING;
END $$;
