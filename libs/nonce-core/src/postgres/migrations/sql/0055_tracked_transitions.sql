-- What became of transactions, told in the commit that decided it: whoever asks later misses nothing.

CREATE TABLE :schema.tracked_transition (
  written_by    xid8 NOT NULL DEFAULT pg_current_xact_id(),
  id            bigint GENERATED ALWAYS AS IDENTITY,
  at            timestamptz NOT NULL DEFAULT clock_timestamp(),
  allocation_id uuid NOT NULL,
  submitter     text NOT NULL,
  nonce         bigint NOT NULL,
  from_stage    :schema.allocation_stage NOT NULL,
  to_stage      :schema.allocation_stage NOT NULL,
  stuck         boolean NOT NULL,
  tx_hash       text,
  block_number  bigint,
  reason        text NOT NULL,
  PRIMARY KEY (written_by, id)
);
COMMENT ON TABLE :schema.tracked_transition IS
  'Moves of nonces by the workers, read in the order of the key and kept for some days. Numbers are drawn before a commit and seen after it: readers stop at the oldest transaction that still writes.';
