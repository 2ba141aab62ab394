-- Proof that this is the same uninterrupted primary; nil when a part of it is missing, or when this
-- is no primary. A restart changes the run id; a failover, a demotion or a fail-back the rest.
local function incarnation_of_server()
  local run_id = string.match(redis.call('INFO', 'server'), '\nrun_id:(%x+)')
  local replication = redis.call('INFO', 'replication')
  local replid = string.match(replication, '\nmaster_replid:(%x+)')
  local role = string.match(replication, '\nrole:(%a+)')
  if not run_id or not replid or role ~= 'master' then
    return nil
  end
  return run_id .. ':' .. replid .. ':' .. role
end

-- A refusal by which the client looks for the primary again; nothing has been written.
local function not_a_primary()
  return redis.error_reply('READONLY this is not a primary whose incarnation is known')
end
