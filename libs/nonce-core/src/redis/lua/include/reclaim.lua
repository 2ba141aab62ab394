-- Wants events.lua. Ends reservations past their deadline, at most `limit`. None becomes free here:
-- whether its holder had an intent written only Postgres knows.
-- Returns how many, or nil when the stream of events is lost.
local function reclaim(events, s, now, limit)
  local due = redis.call('ZRANGEBYSCORE', s.held, '-inf', now, 'LIMIT', 0, limit)
  for _, nonce in ipairs(due) do
    local snapshot = snapshot_of(s, nonce)
    snapshot[STAGE] = 'E'
    snapshot[RANK] = snapshot[RANK] + 1
    if not emit(events, s, fields_of(s, nonce, snapshot, now), now) then
      return nil
    end
    redis.call('ZREM', s.held, nonce)
    save_snapshot(s, nonce, snapshot)
  end
  return #due
end
