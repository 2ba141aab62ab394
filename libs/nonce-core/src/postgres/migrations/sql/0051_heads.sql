-- The followed heads of the chains, and how a block finds the rows of its transactions.

CREATE TABLE :schema.chain_head (
  chain_id    bigint PRIMARY KEY CHECK (chain_id > 0),
  head_number bigint NOT NULL,
  head_hash   text NOT NULL,
  updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT chain_head_hash_is_canonical CHECK (head_hash ~ '^0x[0-9a-f]{64}$')
) WITH (fillfactor = 50);
COMMENT ON TABLE :schema.chain_head IS
  'One row per chain: the head that some worker followed last. Each step names the head it begins at.';

CREATE TABLE :schema.chain_header (
  chain_id    bigint NOT NULL,
  slot        integer NOT NULL,
  number      bigint NOT NULL,
  hash        text NOT NULL,
  parent_hash text NOT NULL,
  PRIMARY KEY (chain_id, slot),
  CONSTRAINT chain_header_slot_of_number CHECK (slot = number % 1024),
  CONSTRAINT chain_header_hashes_are_canonical
    CHECK (hash ~ '^0x[0-9a-f]{64}$' AND parent_hash ~ '^0x[0-9a-f]{64}$')
) WITH (fillfactor = 50);
COMMENT ON TABLE :schema.chain_header IS
  'A ring of the newest 1,024 headers per chain. What lies above the head, or does not link up with it, is left over from replaced blocks.';

-- Blocks name transactions: the rows that wait for them, and those in replaced or confirmed blocks.
CREATE INDEX allocation_tx_hash ON :schema.submitter_nonce_allocation (tx_hash)
  WHERE due_at IS NOT NULL;
CREATE INDEX allocation_more_hashes ON :schema.submitter_nonce_allocation USING gin (hashes)
  WHERE due_at IS NOT NULL AND cardinality(hashes) > 1;
CREATE INDEX allocation_block ON :schema.submitter_nonce_allocation (block_number)
  WHERE stage IN ('MINED', 'CONFIRMED');
