-- Ends the epoch of one idle submitter here, and tells where its fresh nonces ended.
-- Guarantee: afterwards nothing is granted in this epoch and it cannot be opened again; nothing ends
-- while a reservation is held, a nonce was granted lately, or an event about one may still wait for
-- Postgres, which takes what it has not heard of for never issued.
-- KEYS[1] mode of the shard (not read)   KEYS[2] its events
-- KEYS[3…9] state, free, held, snap, ops, ids0, ids1
-- ARGV[1] epoch   ARGV[2] incarnation   ARGV[3] idle time, milliseconds
-- Replies: the first nonce that was never issued; -1 when it is not idle, not flushed, or not here

--#include incarnation.lua
--#include clock.lua
--#include submitter.lua

local token = incarnation_of_server()
if not token then
  return not_a_primary()
end
local s = enter(3, token, '', ARGV[1], ARGV[2])
if not s or redis.call('ZCARD', s.held) > 0 then
  return -1
end
local last_grant = tonumber(redis.call('HGET', s.state, 'lastGrantMs'))
if milliseconds() - last_grant < tonumber(ARGV[3]) then
  return -1
end
-- guard unflushed
local last = redis.call('HMGET', s.state, 'lastEvent', 'lastEvents')
local waiting = last[1] and redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
if waiting then
  local last_number = tonumber(string.match(last[1], '%d+$')) + tonumber(last[2]) - 1
  if tonumber(string.match(waiting[1], '%d+$')) <= last_number then
    return -1
  end
end
-- end guard unflushed
redis.call('UNLINK', unpack(KEYS, 3, 9))
-- Where it ended stays known: whoever retires it may die before Postgres hears of it.
redis.call('HSET', s.state, 'epoch', ARGV[1], 'inc', ARGV[2], 'retired', 1, 'next', s.next)
return s.next
