-- Registers a node, drops those that were not heard of for their time, and tells who is left.
-- KEYS: nodes, then keys that live as long as nodes use them.
-- ARGV: instance, id, microseconds to live (0: only look), card, milliseconds for which the other keys are kept.
-- Replies: the time, then instance, last seen, id and card of each node.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local me, id, ttl = ARGV[1], ARGV[2], tonumber(ARGV[3])

if ttl > 0 then
  redis.call('HSET', KEYS[1], me, string.format('%.0f %.0f %s %s', now, ttl, id, ARGV[4]))
  -- Another node may need the list for longer than this one.
  local millis = math.ceil(ttl / 1000)
  if redis.call('PTTL', KEYS[1]) < millis then
    redis.call('PEXPIRE', KEYS[1], millis)
  end
  for i = 2, #KEYS do
    redis.call('PEXPIRE', KEYS[i], ARGV[5])
  end
end

local reply = { string.format('%.0f', now) }
local entries = redis.call('HGETALL', KEYS[1])
for i = 1, #entries, 2 do
  local instance = entries[i]
  local seen, life, name, card = string.match(entries[i + 1], '^(%d+) (%d+) (%S+) (.*)$')
  local silent = seen and now - seen
  -- A node that started again under its id takes the place of the one that was: that one has missed two heartbeats.
  local replaced = ttl > 0 and name == id and instance ~= me and silent > life / 2
  if not seen or silent > tonumber(life) or replaced then
    redis.call('HDEL', KEYS[1], instance)
  else
    local at = #reply
    reply[at + 1], reply[at + 2], reply[at + 3], reply[at + 4] = instance, seen, name, card
  end
end
return reply
