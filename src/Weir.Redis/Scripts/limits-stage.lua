-- Puts limits aside, to be put in place at once when all are there.
-- KEYS: where.   ARGV: milliseconds to keep, then keys and limits.
for i = 2, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return redis.call('HLEN', KEYS[1])
