-- Settings of the server that decide whether a commit can be lost.
SELECT current_setting('server_version_num')::integer AS version,
  current_setting('server_version') AS version_text,
  current_setting('fsync') AS fsync,
  current_setting('synchronous_commit') AS synchronous_commit,
  pg_is_in_recovery() AS in_recovery
