-- Vouches for the run of the server that was verified; the first to do so is remembered.
-- $1 started text
-- $2 how text
-- $3 by text
SELECT :schema.record_server($1, $2, $3)
