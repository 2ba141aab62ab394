-- Tells how many events of one shard wait for Postgres, and for how long the oldest does.
-- Guarantee: reads only; age by this server's clock.
-- KEYS[1] events of the shard
-- ARGV none
-- Replies: {events, age of the oldest in milliseconds, or -1 when there is none}

--#include clock.lua

local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
local at
for i = 1, oldest and #oldest[2] or 0, 2 do
  if oldest[2][i] == 'v' then
    local granted_at, since = string.match(oldest[2][i + 1], ' (%d+) %-?%d+ (%-?%d+)$')
    at = granted_at and granted_at + since
  end
end
return { redis.call('XLEN', KEYS[1]), at and math.max(0, milliseconds() - at) or -1 }
