-- Keeps a reservation.
-- KEYS: ends of the reservations of this part, the reservation.   ARGV: deadline in microseconds (0: none), most of this part, milliseconds to live, id, text.
-- Replies: 'done', 'full' or 'late'.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local deadline = tonumber(ARGV[1])
if deadline > 0 and now > deadline then
  return 'late'
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  return 'full'
end
local ttl = tonumber(ARGV[3])
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ttl * 1000), ARGV[4])
if redis.call('PTTL', KEYS[1]) < ttl then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
redis.call('SET', KEYS[2], ARGV[5], 'PX', ARGV[3])
return 'done'
