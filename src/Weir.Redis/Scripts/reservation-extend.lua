-- Gives a reservation its time again.
-- KEYS: ends of the reservations of this part, the reservation.   ARGV: milliseconds to live, id.
-- Replies: 1, or 0 when there is none.
if redis.call('PEXPIRE', KEYS[2], ARGV[1]) == 0 then
  return 0
end
local time = redis.call('TIME')
local ttl = tonumber(ARGV[1])
redis.call('ZADD', KEYS[1], string.format('%.0f', time[1] * 1000000 + time[2] + ttl * 1000), ARGV[2])
if redis.call('PTTL', KEYS[1]) < ttl then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return 1
