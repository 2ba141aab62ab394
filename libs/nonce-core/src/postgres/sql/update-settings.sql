-- Changes the settings named in the JSON object; a key with null falls back to the default.
-- $1 submitter text
-- $2 settings text  JSON with any of label, maxInFlight, ttlMs, exposure
UPDATE :schema.submitter_nonce_state s
SET label = CASE WHEN c.settings ? 'label' THEN c.settings ->> 'label' ELSE s.label END,
    max_in_flight = CASE WHEN c.settings ? 'maxInFlight'
      THEN (c.settings ->> 'maxInFlight')::integer ELSE s.max_in_flight END,
    default_ttl_ms = CASE WHEN c.settings ? 'ttlMs'
      THEN (c.settings ->> 'ttlMs')::integer ELSE s.default_ttl_ms END,
    default_exposure = CASE WHEN c.settings ? 'exposure'
      THEN (c.settings ->> 'exposure'):::schema.allocation_exposure ELSE s.default_exposure END,
    updated_at = clock_timestamp()
FROM (SELECT $2::text::jsonb AS settings) c
WHERE s.submitter = $1
RETURNING s.submitter
