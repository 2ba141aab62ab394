-- Tables of the authority. Text keys use the C collation: byte order, equal to the sort order of
-- the program, and faster to compare.

CREATE TYPE :schema.allocation_stage AS ENUM (
  'GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING',
  'ASSERTED', 'CONFIRMED', 'FINAL', 'BURNT', 'CONSUMED_EXTERNAL', 'REUSABLE'
);
CREATE TYPE :schema.allocation_exposure AS ENUM ('declared', 'inferred', 'assumed');
CREATE TYPE :schema.allocation_source AS ENUM ('fresh', 'recycled', 'replacement');
CREATE TYPE :schema.engine_name AS ENUM (
  'reliable', 'performance', 'sequence', 'lease', 'segment', 'dual-write'
);

CREATE TABLE :schema.submitter_nonce_state (
  submitter             text COLLATE "C" PRIMARY KEY,
  chain_id              bigint NOT NULL GENERATED ALWAYS AS (split_part(submitter, ':', 2)::bigint) STORED,
  chain_generation      integer NOT NULL DEFAULT 1,
  genesis_hash          text,
  epoch                 bigint NOT NULL DEFAULT 1,
  engine                :schema.engine_name NOT NULL DEFAULT 'reliable',
  incarnation           text,
  base                  bigint NOT NULL,
  next_local_nonce      bigint NOT NULL,
  ceiling               bigint NOT NULL,
  walk_cursor           bigint NOT NULL DEFAULT 0,
  walk_end              bigint NOT NULL DEFAULT 0,
  chain_latest_count    bigint,
  chain_finalized_count bigint,
  last_chain_nonce      bigint GENERATED ALWAYS AS (nullif(chain_finalized_count, 0) - 1) STORED,
  aligned_at            timestamptz,
  reclaim_at            timestamptz NOT NULL DEFAULT 'infinity',
  max_in_flight         integer,
  default_ttl_ms        integer,
  default_exposure      :schema.allocation_exposure,
  label                 text,
  paused_at             timestamptz,
  paused_reason         text,
  created_at            timestamptz NOT NULL DEFAULT now(),
  updated_at            timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT state_epoch_positive CHECK (epoch >= 1 AND chain_generation >= 1),
  CONSTRAINT state_range_is_ordered
    CHECK (0 <= base AND base <= next_local_nonce AND next_local_nonce <= ceiling),
  CONSTRAINT state_ceiling_is_exact CHECK (ceiling <= 9007199254740991),
  CONSTRAINT state_walk_is_ordered CHECK (0 <= walk_cursor AND walk_cursor <= walk_end),
  CONSTRAINT state_finalized_below_latest
    CHECK (chain_finalized_count IS NULL OR chain_finalized_count <= chain_latest_count),
  CONSTRAINT state_window_not_negative CHECK (max_in_flight >= 0)
) WITH (fillfactor = 40);
COMMENT ON TABLE :schema.submitter_nonce_state IS
  'One row per submitter: the authority over which engine may issue which nonces.';
COMMENT ON COLUMN :schema.submitter_nonce_state.reclaim_at IS
  'No reservation of this submitter passes its deadline before this instant; found by the sweep.';
COMMENT ON COLUMN :schema.submitter_nonce_state.walk_cursor IS
  'Next nonce of closed strict ranges to be looked at once; every nonce below walk_end without a row was never exposed.';

CREATE INDEX state_reclaim_due ON :schema.submitter_nonce_state (reclaim_at)
  WHERE reclaim_at < 'infinity';
CREATE INDEX state_alignment_due ON :schema.submitter_nonce_state (chain_id, aligned_at NULLS FIRST);

CREATE TABLE :schema.submitter_nonce_allocation (
  submitter        text COLLATE "C" NOT NULL,
  chain_generation integer NOT NULL,
  nonce            bigint NOT NULL,
  id               uuid NOT NULL,
  stage            :schema.allocation_stage NOT NULL,
  status           text NOT NULL GENERATED ALWAYS AS (
    CASE
      WHEN stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING') THEN 'RESERVED'
      WHEN stage = 'REUSABLE' THEN 'RECYCLABLE'
      ELSE 'USED'
    END) STORED,
  source           :schema.allocation_source NOT NULL,
  exposure         :schema.allocation_exposure NOT NULL,
  engine           :schema.engine_name NOT NULL,
  generation       integer NOT NULL DEFAULT 1,
  epoch            bigint NOT NULL,
  operation_id     text,
  tx_hash          text,
  hashes           text[],
  inherited_hashes integer NOT NULL DEFAULT 0,
  shared           boolean NOT NULL DEFAULT false,
  raw_tx           bytea,
  proof            text,
  note             text,
  metadata         jsonb,
  block_number     bigint,
  block_hash       text,
  deadline         timestamptz,
  due_at           timestamptz,
  release_at       timestamptz,
  stuck_since      timestamptz,
  created_at       timestamptz NOT NULL,
  updated_at       timestamptz NOT NULL,
  PRIMARY KEY (submitter, chain_generation, nonce),
  CONSTRAINT allocation_nonce_is_exact CHECK (nonce BETWEEN 0 AND 9007199254740990),
  CONSTRAINT allocation_deadline_while_granted CHECK ((stage = 'GRANTED') = (deadline IS NOT NULL)),
  CONSTRAINT allocation_exposed_is_never_reusable
    CHECK (stage <> 'REUSABLE' OR (hashes IS NULL AND source <> 'replacement' AND NOT shared)),
  CONSTRAINT allocation_exposed_has_a_hash
    CHECK (stage NOT IN ('INTENT', 'BROADCAST', 'MINED', 'CONFIRMED') OR hashes IS NOT NULL),
  CONSTRAINT allocation_mined_has_a_block
    CHECK (stage NOT IN ('MINED', 'CONFIRMED') OR (block_number IS NOT NULL AND block_hash IS NOT NULL)),
  CONSTRAINT allocation_release_while_quarantined CHECK (stage = 'QUARANTINED' OR release_at IS NULL),
  CONSTRAINT allocation_proof_is_known CHECK (proof IN ('receipt', 'count')),
  CONSTRAINT allocation_hash_is_canonical CHECK (tx_hash ~ '^0x[0-9a-f]{64}$'),
  CONSTRAINT allocation_texts_are_short CHECK (length(note) <= 500 AND length(operation_id) <= 200)
) WITH (fillfactor = 80);
COMMENT ON TABLE :schema.submitter_nonce_allocation IS
  'One row per nonce. No foreign key to the state row: rows are inserted only under its lock.';

COMMENT ON COLUMN :schema.submitter_nonce_allocation.inherited_hashes IS
  'How many of the first hashes are of earlier holders: they mean that the present one did not succeed.';
COMMENT ON COLUMN :schema.submitter_nonce_allocation.shared IS
  'Answered to more than one call of its operation, one of which may send without an intent.';

CREATE UNIQUE INDEX allocation_id ON :schema.submitter_nonce_allocation (id);
-- What may be issued again, lowest first: proven unsent, or quarantined and released.
CREATE INDEX allocation_reissue
  ON :schema.submitter_nonce_allocation (submitter, chain_generation, nonce)
  WHERE stage IN ('REUSABLE', 'QUARANTINED');
-- Everything in flight; the deadline is set on GRANTED rows only, so a range scan finds the overdue.
CREATE INDEX allocation_reserved ON :schema.submitter_nonce_allocation (submitter, deadline)
  WHERE stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING');
-- What the tracker looks at next.
CREATE INDEX allocation_due ON :schema.submitter_nonce_allocation (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX allocation_stuck ON :schema.submitter_nonce_allocation (stuck_since)
  WHERE stuck_since IS NOT NULL;
-- A caller's assertion ends by the finalized count.
CREATE INDEX allocation_asserted
  ON :schema.submitter_nonce_allocation (submitter, chain_generation, nonce)
  WHERE stage = 'ASSERTED';

CREATE TABLE :schema.allocation_grant (
  id               uuid PRIMARY KEY,
  submitter        text COLLATE "C" NOT NULL,
  chain_generation integer NOT NULL,
  nonce            bigint NOT NULL,
  generation       integer NOT NULL,
  source           :schema.allocation_source NOT NULL,
  ended_stage      :schema.allocation_stage NOT NULL,
  operation_id     text,
  hashes           text[],
  inherited_hashes integer NOT NULL DEFAULT 0,
  note             text,
  granted_at       timestamptz NOT NULL,
  ended_at         timestamptz NOT NULL
);
COMMENT ON TABLE :schema.allocation_grant IS
  'Grants whose nonce was granted again: the history of a nonce, and the proof that a late holder is fenced.';
CREATE INDEX allocation_grant_of_nonce
  ON :schema.allocation_grant (submitter, chain_generation, nonce, generation);

CREATE TABLE :schema.operation (
  submitter    text COLLATE "C" NOT NULL,
  operation_id text COLLATE "C" NOT NULL,
  first_nonce  bigint NOT NULL,
  count        integer NOT NULL,
  ids          uuid[] NOT NULL,
  nonces       bigint[] NOT NULL,
  request_hash text,
  settled      jsonb,
  created_at   timestamptz NOT NULL,
  updated_at   timestamptz NOT NULL,
  PRIMARY KEY (submitter, operation_id),
  CONSTRAINT operation_binding_is_whole
    CHECK (count BETWEEN 1 AND 256 AND cardinality(ids) = count AND cardinality(nonces) = count),
  CONSTRAINT operation_settled_is_a_list CHECK (jsonb_typeof(settled) = 'array')
);
COMMENT ON TABLE :schema.operation IS
  'One operation, one binding; outlives the rows it names.';
COMMENT ON COLUMN :schema.operation.settled IS
  'The allocations as they ended, written by settle_operation before their rows may be pruned.';

CREATE TABLE :schema.epoch_log (
  submitter   text COLLATE "C" NOT NULL,
  epoch       bigint NOT NULL,
  engine      :schema.engine_name NOT NULL,
  incarnation text,
  base        bigint NOT NULL,
  ceiling     bigint,
  intents     text NOT NULL DEFAULT 'strict',
  reason      text NOT NULL,
  opened_at   timestamptz NOT NULL DEFAULT now(),
  closed_at   timestamptz,
  PRIMARY KEY (submitter, epoch),
  CONSTRAINT epoch_log_intents_known CHECK (intents IN ('strict', 'relaxed'))
);

CREATE TABLE :schema.api_key (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name       text NOT NULL,
  digest     text NOT NULL UNIQUE,
  scopes     text[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  CONSTRAINT api_key_digest_is_sha256 CHECK (digest ~ '^[0-9a-f]{64}$'),
  CONSTRAINT api_key_scopes_known
    CHECK (scopes <@ ARRAY['nonce:read', 'nonce:allocate', 'ops:read', 'ops:write'])
);

CREATE TABLE :schema.audit (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at      timestamptz NOT NULL DEFAULT now(),
  actor   text NOT NULL,
  action  text NOT NULL,
  subject text NOT NULL,
  reason  text NOT NULL,
  detail  jsonb
);
