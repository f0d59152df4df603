-- Sets or lifts the limit of one key, and notes which key changed.
-- KEYS: limits, log of changes, version.
-- ARGV: deadline in microseconds (0: none), least number of the version, mark, most limits, milliseconds to keep, size of the log, key, limit ('' lifts).
-- Replies: 'late', 'behind', 'none' or 'full' when nothing was done, else 'done' and the new version.
local time = redis.call('TIME')
local deadline = tonumber(ARGV[1])
-- Whoever asked was told that there was no answer: what it asked must not happen behind its back.
if deadline > 0 and time[1] * 1000000 + time[2] > deadline then
  return { 'late' }
end
local version = redis.call('GET', KEYS[3])
local number = version and tonumber(string.match(version, '^(%d+)')) or 0
-- Redis has lost changes that nodes know; they put them back first.
if number < tonumber(ARGV[2]) then
  return { 'behind' }
end

local keep, key, limit = ARGV[5], ARGV[7], ARGV[8]
if limit == '' then
  if redis.call('HDEL', KEYS[1], key) == 0 then
    return { 'none' }
  end
else
  if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) and redis.call('HEXISTS', KEYS[1], key) == 0 then
    return { 'full' }
  end
  redis.call('HSET', KEYS[1], key, limit)
end

number = number + 1
version = string.format('%.0f-%s', number, ARGV[3])
redis.call('SET', KEYS[3], version, 'PX', keep)
redis.call('HSET', KEYS[2], string.format('%.0f', number % ARGV[6]), version .. ' ' .. key)
redis.call('PEXPIRE', KEYS[1], keep)
redis.call('PEXPIRE', KEYS[2], keep)
return { 'done', version }
