-- Takes a reservation out, so that only one caller settles it.
-- KEYS: ends of the reservations of this part, the reservation.   ARGV: deadline in microseconds (0: none), id.
-- Replies: the reservation's text, nil when there is none, or 'late'.
local time = redis.call('TIME')
local deadline = tonumber(ARGV[1])
-- Whoever asked has given up, and will ask again.
if deadline > 0 and time[1] * 1000000 + time[2] > deadline then
  return 'late'
end
local text = redis.call('GET', KEYS[2])
if text then
  redis.call('DEL', KEYS[2])
  redis.call('ZREM', KEYS[1], ARGV[2])
end
return text
