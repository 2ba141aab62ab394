-- The word behind a field of INFO. Found as plain text: a pattern would be tried at every character,
-- which cost more than all the rest of a grant.
local function field_of(info, name)
  local _, last = string.find(info, '\n' .. name .. ':', 1, true)
  return last and string.match(info, '^%w+', last + 1)
end

-- Proof that this is the same uninterrupted primary; nil when a part of it is missing, or when this
-- is no primary. A restart changes the run id; a failover, a demotion or a fail-back the rest.
local function incarnation_of_server()
  local info = redis.call('INFO', 'server', 'replication')
  local run_id = field_of(info, 'run_id')
  local replid = field_of(info, 'master_replid')
  local role = field_of(info, 'role')
  if not run_id or not replid or role ~= 'master' then
    return nil
  end
  return run_id .. ':' .. replid .. ':' .. role
end

-- A refusal by which the client looks for the primary again; nothing has been written.
local function not_a_primary()
  return redis.error_reply('READONLY this is not a primary whose incarnation is known')
end
