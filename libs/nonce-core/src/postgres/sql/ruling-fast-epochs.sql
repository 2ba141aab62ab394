-- The ruling epochs of these submitters, where a fast store issues for them; no row for the others.
-- $1 submitters text[]
SELECT s.submitter, s.epoch, s.incarnation FROM :schema.submitter_nonce_state s
WHERE s.submitter = ANY ($1) AND s.engine = 'performance' AND s.incarnation IS NOT NULL
