-- Tells what changed since a version that the caller has.
-- KEYS: limits, log of changes, version.   ARGV: the caller's version, size of the log.
-- Replies: the version now, then key and limit (nil: lifted) of each change; or the version and 'all' when the log does not reach back to the caller's.
local version = redis.call('GET', KEYS[3])
if not version then
  return { '', 'all' }
end
if version == ARGV[1] then
  return { version }
end
local size = tonumber(ARGV[2])
local from = tonumber(string.match(ARGV[1], '^(%d+)')) or 0
local to = tonumber(string.match(version, '^(%d+)'))
if from == 0 or to <= from or to - from >= size then
  return { version, 'all' }
end

local function change(number)
  local entry = redis.call('HGET', KEYS[2], string.format('%.0f', number % size))
  if entry then
    return string.match(entry, '^(%S+) (.*)$')
  end
end

-- The log leads back to the caller's version only when it has that very change, and not another of the same number.
if change(from) ~= ARGV[1] then
  return { version, 'all' }
end
local reply, seen = { version }, {}
for number = from + 1, to do
  local at, key = change(number)
  if not at or tonumber(string.match(at, '^(%d+)')) ~= number or key == '' then
    return { version, 'all' }
  end
  if not seen[key] then
    seen[key] = true
    reply[#reply + 1] = key
    reply[#reply + 1] = redis.call('HGET', KEYS[1], key)
  end
end
return reply
