-- What rules now; no row before the first start.
-- hot
-- $1 max_pins integer  pinned submitters returned at most
-- $2 known_pins uuid null  version of the pins that the asker has: they are not returned again
SELECT * FROM :schema.mode_snapshot($1, $2)
