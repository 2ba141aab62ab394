-- Lets one submitter follow another mode than the others; the function states the replies.
-- $1 submitter text
-- $2 mode text null  null = it follows the mode
-- $3 actor text
-- $4 max_pins integer
SELECT :schema.pin_submitter($1, $2, $3, $4) AS verdict
