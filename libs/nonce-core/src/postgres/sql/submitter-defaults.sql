-- A submitter's own time to live and exposure; null where it has none.
-- hot
-- $1 submitter text
SELECT s.default_ttl_ms, s.default_exposure
FROM :schema.submitter_nonce_state s
WHERE s.submitter = $1
