-- Forgets a counter, wherever it is kept, and begins a new era, in which no node trusts the refusals that it remembers.
--
-- KEYS     the shard's record, then every hash that may hold the counter.
-- ARGV[1]  the counter (16 bytes).
-- Reply    how many hashes had it.
local found = 0
for i = 2, #KEYS do
  found = found + redis.call('HDEL', KEYS[i], ARGV[1])
end
local record = redis.call('GET', KEYS[1])
if record then
  local born, seen, at, era = struct.unpack('<dddd', record)
  redis.call('SET', KEYS[1], struct.pack('<dddd', born, seen, at, era + 1) .. string.sub(record, 33), 'KEEPTTL')
end
return found
