-- What a chain that was reset, a reorg below the issuing floor and a delegated account need.

ALTER TABLE :schema.submitter_nonce_state
  ADD COLUMN reset_seen_at    timestamptz,
  ADD COLUMN reset_genesis    text,
  ADD COLUMN generation_epoch bigint NOT NULL DEFAULT 0,
  ADD COLUMN delegated_at     timestamptz;
COMMENT ON COLUMN :schema.submitter_nonce_state.reset_seen_at IS
  'Since when the chain shows another genesis than the remembered one: nothing is issued until it is re-baselined.';
COMMENT ON COLUMN :schema.submitter_nonce_state.generation_epoch IS
  'First epoch of this chain generation; grants of earlier epochs were for a chain that is gone.';
COMMENT ON COLUMN :schema.submitter_nonce_state.delegated_at IS
  'Since when the account is seen to delegate to code (EIP-7702): pools take one transaction of it at a time.';

ALTER TABLE :schema.submitter_nonce_allocation
  ADD COLUMN superseded boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN :schema.submitter_nonce_allocation.superseded IS
  'Of a chain generation that ended: readable, and closed to its holder.';

-- In which block each raise of the issuing floor was seen: what a proven reorg may take back.
CREATE TABLE :schema.floor_raise (
  submitter        text COLLATE "C" NOT NULL,
  chain_generation integer NOT NULL,
  count            bigint NOT NULL,
  previous_count   bigint NOT NULL,
  block_number     bigint NOT NULL,
  block_hash       text NOT NULL,
  seen_at          timestamptz NOT NULL,
  PRIMARY KEY (submitter, chain_generation, count),
  CONSTRAINT floor_raise_is_a_raise CHECK (previous_count < count)
);
COMMENT ON TABLE :schema.floor_raise IS
  'The last raises of the issuing floor, within the reorg depth; at most 64 of a submitter.';
