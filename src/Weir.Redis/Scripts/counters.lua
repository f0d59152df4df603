-- Applies a batch of operations on the counters of one shard, in order, at one instant.
--
-- Counters live in hashes, one per class of windows and generation. What is written goes into the present generation; what is not found there is looked up in the
-- one before. A generation is at least as long as any of its counters remembers, so what only an older one had means nothing any more.
--
-- Time is the server's, made monotone: a record per shard holds the newest instant used, and when the server's clock falls behind it, time goes on from there, at
-- 15/16 of its speed until the clock has caught up. The record is also how nodes see that the data are not those that they knew (it is born anew after a
-- flush), or have moved to another server that may lack the last writes: then the shard is closed for a second, in which nodes send hints of what they saw.
--
-- KEYS     the record; then per class four generations: two before, one before, at, and one after the caller's estimate.
-- ARGV[1]  flags (u8: 1 the newest instant is the instant, for tests; 2 look who the server is), newest instant known (f64 µs), birth known (f64, 0: none),
--          number of classes (u8), and for each the length of its generations (f64 µs) and the estimated number of the present one (f64).
-- ARGV[2]  rules: algorithm (u8), class (u8), classes to look in besides (bits of a u8), seven parameters (f64), see the algorithms.
-- ARGV[3]  operations: kind (u8), rule (u8), count (u16), cost (u32), counter (16 bytes), and what the kind adds.
-- Reply    one string: K, instant, birth, era, when the shard opens (f64 each), then what each operation answers. Or the same header alone, with nothing done:
--          G when the estimates were off, S when the caller must send its hints first.
--
-- Only struct, math and string are used, and numbers never become decimal text, so that every server and version computes the same.
local spread = unpack
local unpack, pack, floor, byte, sub, min, max = struct.unpack, struct.pack, math.floor, string.byte, string.sub, math.min, math.max

local CLOSED_MICROS = 1000000
local RECORD_MILLIS = '63331200000'

local flags, newest, known, classes, at = unpack('<BddB', ARGV[1])
local exact, look = flags % 2 == 1, flags >= 2
local clock = redis.call('TIME')
local real = clock[1] * 1000000 + clock[2]
local record = redis.call('GET', KEYS[1])
local now, born, seen, seen_at, era, open, server, changed_record
if record then
  born, seen, seen_at, era, open = unpack('<ddddd', record)
  server = sub(record, 41)
  local passed = real - seen_at
  if passed < 0 then passed, changed_record = 0, true end
  now = max(real, seen + passed - floor(passed / 16))
  changed_record = changed_record or passed > 1000000
else
  born, seen, seen_at, era, open, server, changed_record = real, real, real, 0, 0, '', true
  now = real
  if newest > now then born = newest end
  if known ~= 0 then open = max(now, newest) + CLOSED_MICROS end
end
if exact then
  now = newest
elseif newest > now then
  now, changed_record = newest, true
end

local behind = false
if known ~= 0 and known ~= born then
  behind = true
  -- A node that starts on an empty server does not know that there was more before it.
  if open == 0 and now - born < 2 * CLOSED_MICROS then open, changed_record = now + CLOSED_MICROS, true end
end
if look then
  local id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or ''
  if id ~= server then
    if server ~= '' then open = now + CLOSED_MICROS end
    server, changed_record = id, true
  end
end

local function keep_record()
  if changed_record then
    redis.call('SET', KEYS[1], pack('<ddddd', born, now, real, era, open) .. server, 'PX', RECORD_MILLIS)
  end
end

local function header(status)
  return status .. pack('<dddd', now, born, era, open)
end

local function only(status)
  keep_record()
  return header(status)
end

local length, current, previous, old = {}, {}, {}, {}
for c = 1, classes do
  local estimate
  length[c], estimate, at = unpack('<dd', ARGV[1], at)
  local ahead = floor(now / length[c]) - estimate
  if ahead ~= 0 and ahead ~= 1 then return only('G') end
  local first = 4 * c - 2 + ahead
  old[c], previous[c], current[c] = KEYS[first], KEYS[first + 1], KEYS[first + 2]
end

local rules = {}
local text = ARGV[2]
at = 1
while at <= #text do
  local r = { 0, 0, 0, 0, 0, 0, 0 }
  r.kind, r.class, r.also, r[1], r[2], r[3], r[4], r[5], r[6], r[7], at = unpack('<BBBddddddd', text, at)
  r.class = r.class + 1
  rules[#rules + 1] = r
end

-- DECIDE: as many requests as counted, of one cost each. GROUP: as many DECIDEs as counted follow, all or none; their count is a mode: 0 enforced, 1 shadow,
-- 2 quota. SETTLE adds actual cost, whether there is a stamp, stamp. RENEW adds a stamp. HINT adds three numbers.
local DECIDE, GROUP, SETTLE, RENEW, HINT = 0, 1, 2, 3, 4

local kinds, rule_of, counts, costs, ids, extra, n = {}, {}, {}, {}, {}, {}, 0
local hints_only = true
text = ARGV[3]
at = 1
while at <= #text do
  n = n + 1
  local kind, rule
  kind, rule, counts[n], costs[n], ids[n], at = unpack('<BBHI4c16', text, at)
  kinds[n] = kind
  if kind ~= GROUP then rule_of[n] = rules[rule + 1] end
  if kind == SETTLE then
    local actual, stamped, stamp
    actual, stamped, stamp, at = unpack('<dBd', text, at)
    extra[n] = { actual, stamped == 1 and stamp or nil }
  elseif kind == RENEW then
    extra[n], at = unpack('<d', text, at)
  elseif kind == HINT then
    local a, b, c
    a, b, c, at = unpack('<ddd', text, at)
    extra[n] = { a, b, c }
  end
  hints_only = hints_only and kind == HINT
end
if n > 0 and not hints_only and (behind or now < open) then return only('S') end

-- States, read once and overlaid by what the batch changes. A counter whose rule moved to another class is looked up there too, and then moved.
local states, changed, moved = {}, {}, nil
local function fetch(key, wanted, into)
  local missing
  for i, value in ipairs(redis.call('HMGET', key, spread(wanted))) do
    if value then
      into[wanted[i]] = value
    else
      missing = missing or {}
      missing[#missing + 1] = wanted[i]
    end
  end
  return missing
end
for c = 1, classes do
  local wanted, also, asked = {}, nil, {}
  for i = 1, n do
    local r = rule_of[i]
    if r and r.class == c and not asked[ids[i]] then
      asked[ids[i]] = true
      wanted[#wanted + 1] = ids[i]
      if r.also > 0 then
        also = also or {}
        also[ids[i]] = r.also
      end
    end
  end
  local into = {}
  states[c], changed[c] = into, {}
  if #wanted > 0 then
    local missing = fetch(current[c], wanted, into)
    if missing then missing = fetch(previous[c], missing, into) end
    if missing and also then
      for other = 1, classes do
        local elsewhere = {}
        for _, id in ipairs(missing) do
          if other ~= c and also[id] and floor(also[id] / 2 ^ (other - 1)) % 2 == 1 then elsewhere[#elsewhere + 1] = id end
        end
        if #elsewhere > 0 then
          local found = {}
          local rest = fetch(current[other], elsewhere, found)
          if rest then fetch(previous[other], rest, found) end
          for id, value in pairs(found) do
            into[id] = value
            moved = moved or {}
            moved[#moved + 1] = { c, id, other }
          end
        end
      end
    end
  end
end

local function write(c, id, value)
  states[c][id], changed[c][id] = value, true
end

-- a * b / c as quotient and remainder, exactly, for a below 2^31 and b, c below 2^45.
local function scaled(a, b, c)
  if a * b < 9007199254740992 then
    local product = a * b
    local quotient = floor(product / c)
    return quotient, product - quotient * c
  end
  local quotient, rest = 0, 0
  for shift = 4, 0, -1 do
    local digit = floor(a / 128 ^ shift) % 128
    local product = rest * 128 + digit * (b % c)
    local whole = floor(product / c)
    quotient, rest = quotient * 128 + digit * floor(b / c) + whole, product - whole * c
  end
  return quotient, rest
end

local function clamp(value, least, most)
  return max(least, min(most, value))
end

-- An algorithm: fresh(rule) makes a table of a counter that was never used, load(rule, state) one of what the state says now, or nil when it was written under a
-- rule that counts otherwise. fits(rule, s, cost) and take(rule, s, cost) work on it; save(rule, s) makes a state again. answer(rule, s) is what the caller computes
-- its decisions from. A reader tells by a state alone how much it counts under its own rule, and fill(rule, s, permits) is how another rule takes that over.
local algorithms, readers = {}, {}

local function load(i)
  local r, id = rule_of[i], ids[i]
  local a = algorithms[r.kind]
  local state = states[r.class][id]
  if not state then return a, r, a.fresh(r) end
  local s = a.load(r, state)
  if not s then
    s = a.fresh(r)
    local used = readers[byte(state)](state)
    if used > 0 then a.fill(r, s, used) end
    write(r.class, id, a.save(r, s))
  end
  return a, r, s
end

-- token-bucket. Rule: emission q + r/l µs per permit (1, 2, 3), depth in µs and l-ths of one (4, 5), burst (6), window (7). In s: µs and l-ths until the bucket
-- is full. State: T, the instant at which it is full, window, q; or U, instant, window, q, l-ths, r, l.
local bucket = {}
algorithms[1] = bucket
local function filled(r, us, part, permits)
  if r[2] == 0 then return us + permits * r[1], part end
  local whole, rest = scaled(permits, r[2], r[3])
  part = part + rest
  if part >= r[3] then part, whole = part - r[3], whole + 1 end
  return us + permits * r[1] + whole, part
end
local function less(us, part, us2, part2) return us < us2 or (us == us2 and part < part2) end
-- The most permits whose emission is not above a level.
local function emitted(r, us, part)
  local low, high = 0, 2147483647
  while low < high do
    local middle = floor((low + high + 1) / 2)
    local a, b = filled(r, 0, 0, middle)
    if less(us, part, a, b) then high = middle - 1 else low = middle end
  end
  return low
end
local function full_at(state)
  local us, length, q = unpack('<ddd', state, 2)
  if byte(state) == 84 then return us, 0, q, 0, 1, length end
  local part, rest, l = unpack('<ddd', state, 26)
  return us, part, q, rest, l, length
end
function bucket.fresh() return { 0, 0 } end
function bucket.load(r, state)
  local tag = byte(state)
  if tag ~= 84 and tag ~= 85 then return nil end
  local us, part, q, rest, l, length = full_at(state)
  if q ~= r[1] or rest ~= r[2] or l ~= r[3] or length ~= r[7] then return nil end
  if us < now then return { 0, 0 } end
  return { us - now, part }
end
function bucket.fits(r, s, permits)
  if permits > r[6] then return false end
  local us, part = filled(r, s[1], s[2], permits)
  return us < r[4] or (us == r[4] and part <= r[5])
end
function bucket.take(r, s, permits) s[1], s[2] = filled(r, s[1], s[2], permits) end
function bucket.fill(r, s, permits) bucket.take(r, s, min(permits, r[6])) end
function bucket.save(r, s)
  if r[3] == 1 then return pack('<Bddd', 84, now + s[1], r[7], r[1]) end
  return pack('<Bdddddd', 85, now + s[1], r[7], r[1], s[2], r[2], r[3])
end
function bucket.answer(r, s) return pack('<dd', s[1], s[2]) end
local function bucket_used(state)
  local us, part, q, rest, l = full_at(state)
  if us < now then return 0 end
  local r = { q, rest, l }
  local permits = emitted(r, us - now, part)
  local a, b = filled(r, 0, 0, permits)
  return less(a, b, us - now, part) and permits + 1 or permits
end
readers[84], readers[85] = bucket_used, bucket_used
function bucket.hint(r, s, hint)
  local us = hint[1] - now
  if less(s[1], s[2], us, hint[2]) then s[1], s[2] = us, hint[2] end
end

-- fixed-window. Rule: limit (1), window (2), or for calendar windows 0 and the bounds start, end and next end (3, 4, 5). State: F, start and end of its window, count.
local fixed = {}
algorithms[2] = fixed
function fixed.fresh(r)
  local s = { count = 0 }
  if r[2] > 0 then
    s.start = now - now % r[2]
    s.stop = s.start + r[2]
  elseif now < r[4] then
    s.start, s.stop = r[3], r[4]
  else
    s.start, s.stop = r[4], r[5]
  end
  return s
end
function fixed.load(r, state)
  if byte(state) ~= 70 then return nil end
  local s = fixed.fresh(r)
  local start, stop, count = unpack('<ddd', state, 2)
  if start == s.start and stop == s.stop then
    s.count = count
  elseif now < stop then
    return nil
  end
  return s
end
function fixed.fits(r, s, permits) return s.count + permits <= r[1] end
function fixed.take(r, s, permits) s.count = s.count + permits end
function fixed.fill(r, s, permits) s.count = min(permits, r[1]) end
function fixed.save(r, s) return pack('<Bddd', 70, s.start, s.stop, s.count) end
function fixed.answer(r, s) return pack('<dd', s.start, s.count) end
readers[70] = function(state)
  local start, stop, count = unpack('<ddd', state, 2)
  return now < stop and count or 0
end
function fixed.hint(r, s, hint)
  if hint[1] == s.start then s.count = max(s.count, hint[2]) end
end

-- sliding-counter. Rule: limit (1), window (2). State: C, window, start of its window, the previous window's count, its own.
local counter = {}
algorithms[3] = counter
local function fading(s, window)
  local whole, rest = scaled(s.previous, window - (now - s.start), window)
  return rest > 0 and whole + 1 or whole
end
local function counts_at(state)
  local window, start, previous, own = unpack('<dddd', state, 2)
  local s = { start = now - now % window, previous = 0, own = 0 }
  if start >= s.start then
    s.start, s.previous, s.own = start, previous, own
  elseif start >= s.start - window then
    s.previous = own
  end
  return s, window
end
function counter.fresh(r) return { start = now - now % r[2], previous = 0, own = 0, fading = 0 } end
function counter.load(r, state)
  if byte(state) ~= 67 then return nil end
  local s, window = counts_at(state)
  if window ~= r[2] then return nil end
  s.fading = fading(s, window)
  return s
end
function counter.fits(r, s, permits) return s.fading + s.own + permits <= r[1] end
function counter.take(r, s, permits) s.own = s.own + permits end
function counter.fill(r, s, permits) s.own = min(permits, r[1]) end
function counter.save(r, s) return pack('<Bdddd', 67, r[2], s.start, s.previous, s.own) end
function counter.answer(r, s) return pack('<ddd', s.start, s.previous, s.own) end
readers[67] = function(state)
  local s, window = counts_at(state)
  return s.own + fading(s, window)
end
function counter.hint(r, s, hint)
  if hint[1] == s.start then
    s.previous, s.own = max(s.previous, hint[2]), max(s.own, hint[3])
  elseif hint[1] == s.start - r[2] then
    s.previous = max(s.previous, hint[3])
  end
end

-- sliding-window. Rule: limit (1), window (2). State: W, window, the permits in it, then for each instant at which permits were taken, oldest first, instant and
-- permits. Past 1,024 instants those within 1/1,024 of the window become one, the latest of them: permits then come back that much later, never earlier.
local HEAD, ENTRY, MANY = 13, 12, 1024
local window = {}
algorithms[4] = window
local function log_at(state, length)
  local s = { sum = 0, log = '', at = 1, tail = '', last = 0 }
  s.sum = unpack('<I4', state, 10)
  local size = #state
  if size == HEAD then return s end
  s.log, s.at = state, HEAD + 1
  s.last = unpack('<d', state, size - ENTRY + 1)
  local horizon = now - length
  if s.last <= horizon then
    s.sum, s.log, s.at, s.last = 0, '', 1, 0
    return s
  end
  while true do
    local instant, permits = unpack('<dI4', state, s.at)
    if instant > horizon then return s end
    s.sum, s.at = s.sum - permits, s.at + ENTRY
  end
end
function window.fresh() return { sum = 0, log = '', at = 1, tail = '', last = 0 } end
function window.load(r, state)
  if byte(state) ~= 87 or unpack('<d', state, 2) ~= r[2] then return nil end
  return log_at(state, r[2])
end
function window.fits(r, s, permits) return s.sum + permits <= r[1] end
function window.take(r, s, permits)
  local entries = (#s.log - s.at + 1 + #s.tail) / ENTRY
  if entries >= MANY and s.tail == '' then
    local quantum = r[2] / MANY
    if floor(s.last / quantum) == floor(now / quantum) then
      permits = permits + unpack('<I4', s.log, #s.log - 3)
      s.sum = s.sum - unpack('<I4', s.log, #s.log - 3)
      s.log = sub(s.log, 1, #s.log - ENTRY)
    end
  end
  s.sum, s.tail, s.last = s.sum + permits, s.tail .. pack('<dI4', now, permits), now
end
function window.fill(r, s, permits) window.take(r, s, min(permits, r[1])) end
function window.save(r, s) return pack('<BdI4', 87, r[2], s.sum) .. sub(s.log, s.at) .. s.tail end
function window.answer(r, s) return pack('<dd', s.sum, s.last) end
function window.fits_at(r, s, permits)
  local log, sum, i, instant, taken = sub(s.log, s.at) .. s.tail, s.sum, 1, now, 0
  while sum + permits > r[1] and i <= #log do
    instant, taken, i = unpack('<dI4', log, i)
    sum = sum - taken
  end
  return instant + r[2]
end
readers[87] = function(state) return log_at(state, (unpack('<d', state, 2))).sum end
function window.hint(r, s, hint)
  local missing = hint[1] - s.sum
  if missing > 0 and hint[2] + r[2] > now then
    s.last = max(s.last, min(hint[2], now))
    s.sum, s.tail = s.sum + missing, s.tail .. pack('<dI4', s.last, missing)
  end
end

-- concurrency. Rule: limit (1), lease time (2). State: L, number of the newest lease, then leases in the order in which they end: number, end, permits.
local leases = {}
algorithms[5] = leases
function leases.fresh() return { last = now, held = 0, list = {} } end
function leases.load(r, state)
  if byte(state) ~= 76 then return nil end
  local s, i = leases.fresh(), 2
  s.last, i = unpack('<d', state, i)
  while i <= #state do
    local id, stop, permits
    id, stop, permits, i = unpack('<ddI4', state, i)
    if stop > now and permits > 0 then
      s.list[#s.list + 1] = { id, stop, permits }
      s.held = s.held + permits
    end
  end
  return s
end
local function add_lease(s, lease)
  local place = #s.list + 1
  while place > 1 and s.list[place - 1][2] > lease[2] do place = place - 1 end
  table.insert(s.list, place, lease)
end
function leases.fits(r, s, permits) return s.held + permits <= r[1] end
function leases.take(r, s, permits)
  s.last, s.held = s.last + 1, s.held + permits
  add_lease(s, { s.last, now + r[2], permits })
end
function leases.fill() end
function leases.save(r, s)
  local parts = { pack('<Bd', 76, s.last) }
  for _, lease in ipairs(s.list) do
    if lease[3] > 0 then parts[#parts + 1] = pack('<ddI4', lease[1], lease[2], lease[3]) end
  end
  return table.concat(parts)
end
local function empty_at(s)
  for i = #s.list, 1, -1 do
    if s.list[i][3] > 0 then return s.list[i][2] end
  end
  return now
end
function leases.answer(r, s) return pack('<ddd', s.held, s.last, empty_at(s)) end
function leases.fits_at(r, s, permits)
  local held, stop = s.held, now
  for _, lease in ipairs(s.list) do
    if held + permits <= r[1] then break end
    held, stop = held - lease[3], lease[2]
  end
  return stop
end
readers[76] = function(state) return leases.load(nil, state).held end

-- Giving back, and charging more, once the true cost is known. Each returns what was given back in permits, negative for what was charged in addition, and whether
-- the state changed where that does not show in it.
local settlers = {}

-- Time is taken to have refilled a charge first: what it has given back on its own is not given back once more.
local function unfilled(r, cost, stamp)
  local us, part = filled(r, 0, 0, min(cost, r[6]))
  local passed = max(0, now - stamp)
  if us < passed then return 0, 0 end
  return us - passed, part
end
settlers[1] = function(r, s, cost, actual, stamp)
  local permits = min(cost - actual, r[6])
  local before_us, before_part = s[1], s[2]
  if permits > 0 then
    local us, part = filled(r, 0, 0, permits)
    if less(before_us, before_part, us, part) then us, part = before_us, before_part end
    if stamp then
      local most_us, most_part = unfilled(r, cost, stamp)
      if less(most_us, most_part, us, part) then us, part = most_us, most_part end
    end
    s[1], s[2] = before_us - us, before_part - part
    if s[2] < 0 then s[1], s[2] = s[1] - 1, s[2] + r[3] end
    return emitted(r, us, part), us > 0 or part > 0
  end
  -- Debt is remembered up to one further bucket.
  local us, part = filled(r, before_us, before_part, min(-permits, r[6]))
  local most_us, most_part = filled(r, 0, 0, 2 * r[6])
  if less(most_us, most_part, us, part) then us, part = most_us, most_part end
  if not less(before_us, before_part, us, part) then return 0, false end
  s[1], s[2] = us, part
  us, part = us - before_us, part - before_part
  if part < 0 then us, part = us - 1, part + r[3] end
  return -emitted(r, us, part), true
end
settlers[2] = function(r, s, cost, actual, stamp)
  if actual < cost and stamp and stamp ~= s.start then return 0 end
  local before = s.count
  s.count = clamp(before - cost + actual, 0, 4294967295)
  return before - s.count
end
settlers[3] = function(r, s, cost, actual, stamp)
  local field = 'own'
  if actual < cost and stamp and stamp ~= s.start then
    if stamp ~= s.start - r[2] then return 0 end
    field = 'previous'
  end
  local before = s[field]
  s[field] = clamp(before - cost + actual, 0, 16777215)
  return before - s[field]
end
settlers[4] = function(r, s, cost, actual, stamp)
  local permits = cost - actual
  if permits < 0 then
    local debt = clamp(-permits, 0, max(0, 2 * r[1] - s.sum))
    if debt > 0 then window.take(r, s, debt) end
    return -debt
  end
  local log = sub(s.log, s.at) .. s.tail
  -- Where instants were put together, the charge is in the first entry after it.
  local near = #log > MANY * ENTRY and r[2] / MANY or 0
  local parts, left, i, last = {}, permits, 1, 0
  while i <= #log do
    local instant, taken
    instant, taken, i = unpack('<dI4', log, i)
    if left > 0 and (not stamp or instant == stamp or (instant > stamp and instant - stamp < near)) then
      local back = min(left, taken)
      taken, left = taken - back, left - back
    end
    if taken > 0 then
      parts[#parts + 1] = pack('<dI4', instant, taken)
      last = instant
    end
  end
  s.sum, s.log, s.at, s.tail, s.last = s.sum - permits + left, '', 1, table.concat(parts), last
  return permits - left
end
settlers[5] = function(r, s, cost, actual, stamp)
  local wanted = max(0, cost - actual)
  local left = wanted
  for _, lease in ipairs(s.list) do
    if left > 0 and (not stamp or lease[1] == stamp) then
      local back = min(left, lease[3])
      lease[3], left = lease[3] - back, left - back
    end
  end
  s.held = s.held - wanted + left
  return wanted - left
end

local function granted(a, r, s, count, cost)
  if count == 1 or cost == 0 then return a.fits(r, s, cost) and count or 0 end
  if a.fits(r, s, count * cost) then return count end
  local low, high = 0, count - 1
  while low < high do
    local middle = floor((low + high + 1) / 2)
    if a.fits(r, s, middle * cost) then low = middle else high = middle - 1 end
  end
  return low
end

-- Decides one operation. The answer is of the state before; the instant at which one more would fit is of the state after.
local function decide(i, count, cost)
  local a, r, s = load(i)
  local answer = a.answer(r, s)
  local g = granted(a, r, s, count, cost)
  if g > 0 and cost > 0 then
    if a == leases then
      -- Each holder releases its own.
      for _ = 1, g do a.take(r, s, cost) end
    else
      a.take(r, s, g * cost)
    end
    write(r.class, ids[i], a.save(r, s))
  end
  if a.fits_at then answer = answer .. pack('<d', g < count and a.fits_at(r, s, cost) or 0) end
  return g, answer
end

-- Several limits of one request: each is decided as after those before it; if the request is refused all is undone, and every answer is of the state as it
-- was, a counter named several times refusing for all that is asked of it together.
local function decide_group(first, last)
  local before, g, answers, asked = {}, {}, {}, {}
  local refused, quotas, refused_quotas = false, 0, 0
  for i = first, last do load(i) end
  for i = first, last do
    local c, id = rule_of[i].class, ids[i]
    before[i] = { states[c][id], changed[c][id] }
    asked[id] = (asked[id] or 0) + costs[i]
    g[i], answers[#answers + 1] = decide(i, 1, costs[i])
    local no = g[i] == 0
    if counts[i] == 0 then
      refused = refused or no
    elseif counts[i] == 2 then
      quotas, refused_quotas = quotas + 1, refused_quotas + (no and 1 or 0)
    end
  end
  refused = refused or (quotas > 0 and refused_quotas == quotas)
  if refused then
    for i = last, first, -1 do
      local c, id = rule_of[i].class, ids[i]
      states[c][id], changed[c][id] = before[i][1], before[i][2]
    end
    for i = first, last do
      local a, r, s = load(i)
      local answer = a.answer(r, s)
      if a.fits_at then answer = answer .. pack('<d', g[i] == 0 and a.fits_at(r, s, asked[ids[i]]) or 0) end
      answers[i - first + 1] = answer
    end
  end
  for i = first, last do answers[i - first + 1] = pack('<H', g[i]) .. answers[i - first + 1] end
  return pack('<B', refused and 1 or 0) .. table.concat(answers)
end

local function settle(i)
  local a, r, s = load(i)
  local full = not a.fits(r, s, 1)
  local given, moved_state = settlers[r.kind](r, s, costs[i], extra[i][1], extra[i][2])
  if moved_state or (moved_state == nil and given ~= 0) then
    write(r.class, ids[i], a.save(r, s))
    -- Nodes remember refusals; what makes one untrue begins a new era.
    if full and given >= 0 then era, changed_record = era + 1, true end
  end
  return pack('<d', given)
end

local function renew(i)
  local a, r, s = load(i)
  if a ~= leases then return pack('<d', 0) end
  for place, lease in ipairs(s.list) do
    if lease[1] == extra[i] then
      table.remove(s.list, place)
      add_lease(s, { lease[1], now + r[2], lease[3] })
      write(r.class, ids[i], leases.save(r, s))
      return pack('<d', 1)
    end
  end
  return pack('<d', 0)
end

local function take_hint(i)
  local a, r, s = load(i)
  if not a.hint then return end
  a.hint(r, s, extra[i])
  write(r.class, ids[i], a.save(r, s))
end

local replies, size = {}, 1
local i = 1
while i <= n do
  local kind = kinds[i]
  if kind == DECIDE then
    local g, answer = decide(i, counts[i], costs[i])
    replies[size + 1], replies[size + 2] = pack('<H', g), answer
    size = size + 2
  elseif kind == HINT then
    take_hint(i)
  else
    size = size + 1
    if kind == GROUP then
      replies[size] = decide_group(i + 1, i + counts[i])
      i = i + counts[i]
    elseif kind == SETTLE then
      replies[size] = settle(i)
    else
      replies[size] = renew(i)
    end
  end
  i = i + 1
end

for c = 1, classes do
  local fields, count = {}, 0
  for id in pairs(changed[c]) do
    fields[count + 1], fields[count + 2] = id, states[c][id]
    count = count + 2
  end
  if count > 0 then
    redis.call('HSET', current[c], spread(fields))
    -- A generation lives through the one after it. It is created here, so this is where it gets its end: no key is ever without. What two generations ago was
    -- written is not needed any more, and freeing it in the background is gentler than letting it expire.
    if redis.call('PTTL', current[c]) < 0 then
      local stop = (floor(now / length[c]) + 2) * length[c]
      redis.call('PEXPIRE', current[c], string.format('%.0f', math.ceil((stop - now) / 1000) + 1000))
      redis.call('UNLINK', old[c])
    end
  end
end
if moved then
  for _, m in ipairs(moved) do
    if changed[m[1]][m[2]] then
      redis.call('HDEL', current[m[3]], m[2])
      redis.call('HDEL', previous[m[3]], m[2])
    end
  end
end
keep_record()
replies[1] = header('K')
return table.concat(replies)
