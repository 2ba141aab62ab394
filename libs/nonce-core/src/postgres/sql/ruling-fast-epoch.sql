-- The ruling epoch of one submitter, where a fast store issues for it; no row elsewhere.
-- $1 submitter text
SELECT s.submitter, s.epoch, s.incarnation FROM :schema.submitter_nonce_state s
WHERE s.submitter = $1 AND s.engine = 'performance' AND s.incarnation IS NOT NULL
