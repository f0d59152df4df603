-- Puts back all limits that Redis has lost, unless it has newer ones by now.
-- KEYS: limits, log of changes, version, where the limits were put aside.   ARGV: version, how many there are, milliseconds to keep, size of the log.
-- Replies: 'done', 'newer', or 'incomplete' when what was put aside is gone.
local version = redis.call('GET', KEYS[3])
local number = tonumber(string.match(ARGV[1], '^(%d+)'))
if version and tonumber(string.match(version, '^(%d+)')) >= number then
  redis.call('UNLINK', KEYS[4])
  return 'newer'
end
if redis.call('HLEN', KEYS[4]) ~= tonumber(ARGV[2]) then
  return 'incomplete'
end
redis.call('UNLINK', KEYS[1], KEYS[2])
if tonumber(ARGV[2]) > 0 then
  redis.call('RENAME', KEYS[4], KEYS[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[3])
redis.call('HSET', KEYS[2], string.format('%.0f', number % ARGV[4]), ARGV[1] .. ' ')
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 'done'
