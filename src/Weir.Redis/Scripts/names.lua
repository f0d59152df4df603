-- Keeps what counters are called and by which rules they count, for listings. Both hashes end by themselves.
--
-- KEYS     names of counters, rules.
-- ARGV[1]  how long both are kept (ms), number of names; then counter and name in turns, then rule's identity and rule in turns.
redis.call('HSET', KEYS[1], unpack(ARGV, 3, 2 + 2 * ARGV[2]))
if #ARGV > 2 + 2 * ARGV[2] then
  redis.call('HSET', KEYS[2], unpack(ARGV, 3 + 2 * ARGV[2]))
end
for i = 1, 2 do
  if redis.call('PTTL', KEYS[i]) < tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[i], ARGV[1]) end
end
return 1
