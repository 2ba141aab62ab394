-- Grants of fast epochs that nobody has settled.
-- $1 most integer  counted no further than this
SELECT :schema.count_fast_grants($1) AS found
