-- Finds what is left over from closed strict ranges without a look at every account.

CREATE INDEX state_open_walks ON :schema.submitter_nonce_state (submitter)
  WHERE walk_cursor < walk_end;
