-- Fast epochs that rule.
-- $1 most integer  counted no further than this
SELECT :schema.count_fast_epochs($1) AS found
