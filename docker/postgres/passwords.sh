#!/bin/sh
# Gives the two roles their passwords from mounted secrets, at the first start of the server.
set -eu

set_password() {
  psql --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set role="$1" --set password="$(cat "$2")" <<'SQL'
ALTER ROLE :"role" PASSWORD :'password';
SQL
}

set_password noncekit_migrator "$MIGRATOR_PASSWORD_FILE"
set_password noncekit_app "$APP_PASSWORD_FILE"
