-- Adds nonces of earlier holders to a free set, those that `may` be issued. A member is the nonce,
-- with a "t" when it may have been sent and can be issued as a replacement only; that counts more
-- than a clean one.
local function add_free_nonces(free, argument, count, may)
  for i = argument, argument + count - 1 do
    local member = ARGV[i]
    local nonce = string.match(member, '^%d+')
    local tainted = nonce ~= member
    if may(tonumber(nonce), nonce) then
      if tainted then
        redis.call('ZREM', free, nonce)
        redis.call('ZADD', free, nonce, member)
      elseif not redis.call('ZSCORE', free, nonce .. 't') then
        redis.call('ZADD', free, nonce, nonce)
      end
    end
  end
end
