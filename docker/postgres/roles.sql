-- Two roles, so that a stolen or mistaken application cannot lower, delete or redefine anything.
--
--   noncekit_migrator  owns the schema `noncekit` and changes its form; used by the migrate job only
--   noncekit_app       reads, inserts, updates and calls functions; the role of api and worker
--
-- Run it once per database as a superuser, before the first migration; running it again changes
-- nothing. Passwords are set separately (see passwords.sh), so that none stands in a file like this.
-- The application's time limits are settings of its role: they hold behind a transaction pooler too.

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'noncekit_migrator') THEN
    CREATE ROLE noncekit_migrator LOGIN;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'noncekit_app') THEN
    CREATE ROLE noncekit_app LOGIN;
  END IF;
  EXECUTE format('GRANT CONNECT, CREATE ON DATABASE %I TO noncekit_migrator', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO noncekit_app', current_database());
END $$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA IF NOT EXISTS noncekit AUTHORIZATION noncekit_migrator;
GRANT USAGE ON SCHEMA noncekit TO noncekit_app;

-- A hot statement takes milliseconds; waiting for a row must end before the statement's own limit.
ALTER ROLE noncekit_app SET statement_timeout = '2s';
ALTER ROLE noncekit_app SET lock_timeout = '1s';
ALTER ROLE noncekit_app SET idle_in_transaction_session_timeout = '10s';

-- What the migrations will create.
ALTER DEFAULT PRIVILEGES FOR ROLE noncekit_migrator IN SCHEMA noncekit
  GRANT SELECT, INSERT, UPDATE ON TABLES TO noncekit_app;
ALTER DEFAULT PRIVILEGES FOR ROLE noncekit_migrator IN SCHEMA noncekit
  GRANT USAGE ON SEQUENCES TO noncekit_app;
ALTER DEFAULT PRIVILEGES FOR ROLE noncekit_migrator REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE noncekit_migrator IN SCHEMA noncekit
  GRANT EXECUTE ON FUNCTIONS TO noncekit_app;

-- What they have created already, when this file runs late or again.
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA noncekit TO noncekit_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA noncekit TO noncekit_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA noncekit TO noncekit_app;
