-- Milliseconds since 1970 by this server's clock, the same for everything in one run.
local function milliseconds()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
