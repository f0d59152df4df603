-- Applies a batch of operations on the counters of one shard, in order, at one instant.
--
-- Counters live in hashes, one per class of windows and generation. What is written goes into the present generation; what is not found there is looked up in the
-- one before. A generation is at least as long as any of its counters remembers, so what only an older one had means nothing any more.
--
-- Time is the server's, made monotone: a record per shard holds the newest instant used, and when the server's clock falls behind it, time goes on from there, at
-- 15/16 of its speed until the clock has caught up, and by ten seconds at most from one look to the next: a clock that is set right again has not shown time that
-- passed. The record is written every second, and first thing in every ten, so that a step back within a second can go unnoticed but never leads into an earlier
-- generation: within it, every algorithm takes an instant older than the newest it has seen for that one. The record is also how nodes see that the data are not
-- those that they knew (it is born anew after a flush), or have moved to another server that may lack the last writes: then the shard is closed for a second, in
-- which nodes send hints of what they saw.
--
-- KEYS     the record; then per class four generations: two before, one before, at, and one after the caller's estimate.
-- ARGV[1]  flags (u8: 1 the newest instant is the instant, for tests; 2 look who the server is; 4 the operations are plain), newest instant known (f64 µs), birth known (f64, 0: none),
--          number of classes (u8), and for each the length of its generations (f64 µs) and the estimated number of the present one (f64).
-- ARGV[2]  rules: algorithm (u8), class (u8), classes to look in besides (bits of a u8), seven parameters (f64), see the algorithms.
-- ARGV[3]  operations: kind (u8), rule (u8), count (u16), cost (u32), counter (16 bytes), and what the kind adds.
--          Plain operations are single charges of one rule and cost on different counters: then this is the cost (u32) and, unless each stands for one request, for
--          how many (u16 each); the counters follow, an argument each.
-- Reply    one string: K, instant, birth, era, when the shard opens (f64 each), then what each operation answers. Or the same header alone, with nothing done:
--          G when the estimates were off, S when the caller must send its hints first.
--
-- Only struct, math, string and table are used, and of numbers only whole ones become decimal text, so that every server and version computes the same.
local spread = unpack
local unpack, pack, floor, byte, sub, min, max = struct.unpack, struct.pack, math.floor, string.byte, string.sub, math.min, math.max

local CLOSED_MICROS = 1000000
local RECORD_MILLIS = '63331200000'
-- What all generations are multiples of.
local SLOT_MICROS = 10000000

local flags, newest, known, classes, at = unpack('<BddB', ARGV[1])
local exact, look, plain = flags % 2 == 1, flags % 4 >= 2, flags >= 4
local clock = redis.call('TIME')
local real = clock[1] * 1000000 + clock[2]
local record = redis.call('GET', KEYS[1])
local now, born, seen, seen_at, era, open, server, changed_record
if record then
  born, seen, seen_at, era, open = unpack('<ddddd', record)
  server = sub(record, 41)
  local passed = real - seen_at
  if passed < 0 then passed, changed_record = 0, true end
  now = real >= seen and real or seen + min(passed - floor(passed / 16), SLOT_MICROS)
  changed_record = changed_record or passed > 1000000 or floor(now / SLOT_MICROS) ~= floor(seen / SLOT_MICROS)
else
  born, seen, seen_at, era, open, server, changed_record = real, real, real, 0, 0, '', true
  now = real
  if newest > now then born = newest end
  if known ~= 0 then open = (exact and newest or max(now, newest)) + CLOSED_MICROS end
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
  if id ~= server and server ~= '' then open = now + CLOSED_MICROS end
  -- Written in any case: who looks wants to know whether this server takes writes.
  server, changed_record = id, true
end

-- Keeps the record and makes the reply's header.
local function finish(status)
  if changed_record then
    redis.call('SET', KEYS[1], pack('<ddddd', born, now, real, era, open) .. server, 'PX', RECORD_MILLIS)
  end
  return status .. pack('<dddd', now, born, era, open)
end

local length, current, previous, old = {}, {}, {}, {}
for c = 1, classes do
  local estimate
  length[c], estimate, at = unpack('<dd', ARGV[1], at)
  local ahead = floor(now / length[c]) - estimate
  if ahead ~= 0 and ahead ~= 1 then return finish('G') end
  local first = 4 * c - 2 + ahead
  old[c], previous[c], current[c] = KEYS[first], KEYS[first + 1], KEYS[first + 2]
end

local rules, shelves = {}, {}
for c = 1, classes do shelves[c] = { states = {}, fields = {}, size = 0, wanted = {}, count = 0 } end
local text = ARGV[2]
at = 1
while at <= #text do
  local r = { 0, 0, 0, 0, 0, 0, 0 }
  r.kind, r.class, r.also, r[1], r[2], r[3], r[4], r[5], r[6], r[7], at = unpack('<BBBddddddd', text, at)
  -- Calendar windows are worked out by the caller, for about the time that it is.
  if r.kind == 2 and r[2] == 0 and (now < r[3] or now >= r[5]) then return finish('G') end
  r.shelf = shelves[r.class + 1]
  rules[#rules + 1] = r
end

-- The common cases of single charges, done in one go: takes rule, state, number of requests and cost, and returns how many are granted, the new state if there is
-- one, and the answer's other numbers. Or nothing, for what the algorithms below take care of; both compute the same.
local ANSWERS = { 'Hdd', 'Hdd', 'Hddd', 'Hddd' }
local function make_common(kind, now, unpack, pack, floor, min, max, sub)
  local function share(room, count, cost)
    if cost == 0 then return room >= 0 and count or 0 end
    return max(0, min(count, floor(room / cost)))
  end
  if kind == 1 then
    return function(r, state, count, cost)
      local q, us = r[1], 0
      if r[3] ~= 1 or q == 0 then return end
      if state then
        if #state ~= 25 then return end
        local tag, full, length, own = unpack('<Bddd', state)
        if tag ~= 84 or length ~= r[7] or own ~= q then return end
        if full > now then us = full - now end
      end
      local g = share(r[4] - us, count, cost * q)
      return g, g * cost > 0 and pack('<Bddd', 84, now + us + g * cost * q, r[7], q), us, 0
    end
  elseif kind == 2 then
    return function(r, state, count, cost)
      local length, used = r[2], 0
      if length == 0 then return end
      local start = now - now % length
      if state then
        if #state ~= 25 then return end
        local tag, own, stop, stored = unpack('<Bddd', state)
        if tag ~= 70 then return end
        if own == start and stop == start + length then used = stored elseif now < stop then return end
      end
      local g = share(r[1] - used, count, cost)
      return g, g * cost > 0 and pack('<Bddd', 70, start, start + length, used + g * cost), start, used
    end
  elseif kind == 3 then
    return function(r, state, count, cost)
      local length, previous, own, fading = r[2], 0, 0, 0
      local start = now - now % length
      if state then
        if #state ~= 33 then return end
        local tag, window, began, before, within = unpack('<Bdddd', state)
        if tag ~= 67 or window ~= length or began > start then return end
        if began == start then previous, own = before, within elseif began == start - length then previous = within end
        if previous > 0 then
          local left = length - (now - start)
          if previous * left >= 4503599627370496 then return end
          fading = floor((previous * left + length - 1) / length)
        end
      end
      local g = share(r[1] - own - fading, count, cost)
      return g, g * cost > 0 and pack('<Bdddd', 67, length, start, previous, own + g * cost), start, previous, own
    end
  elseif kind == 4 then
    return function(r, state, count, cost)
      local length, sum, last, size, first, tag = r[2], 0, 0, 0, 14, 87
      if state then
        size = #state
        if size < 13 then return end
        local window, stored
        tag, window, stored = unpack('<BdI4', state)
        -- Longer logs are left to the algorithm, which puts instants together.
        if (tag ~= 87 and tag ~= 119) or window ~= length or size > 12000 then return end
        if size > 13 then
          local horizon = now - length
          last = unpack('<d', state, size - 11)
          if last > now then return end
          if last > horizon then
            sum = stored
            while true do
              local instant, permits = unpack('<dI4', state, first)
              if instant > horizon then break end
              sum, first = sum - permits, first + 12
            end
          else
            last, first = 0, size + 1
          end
        end
      end
      local g, fits_at = share(r[1] - sum, count, cost), 0
      local taken = g * cost
      if g < count then
        -- Those that were just granted come back last.
        local left, instant, permits, i = sum + taken, now, 0, first
        while left + cost > r[1] and i <= size do
          instant, permits, i = unpack('<dI4', state, i)
          left = left - permits
        end
        if left + cost > r[1] then instant = now end
        fits_at = instant + length
      end
      if taken == 0 then return g, nil, sum, last, fits_at end
      if first > size then return g, pack('<BdI4dI4', 87, length, sum + taken, now, taken), sum, last, fits_at end
      return g, pack('<BdI4', tag, length, sum + taken) .. sub(state, first) .. pack('<dI4', now, taken), sum, last, fits_at
    end
  end
end
local common = {}

-- Keeps states. A generation lives through the one after it. It is created here, so this is where it gets its end: no key is ever without. What two generations ago
-- was written is not needed any more, and freeing it in the background is gentler than letting it expire. A ninth is added because time may go slower than the clock,
-- and a clock that is behind may be set right again.
local function keep(c, fields, size, is_new)
  redis.call('HSET', current[c], spread(fields, 1, size))
  if is_new and redis.call('PTTL', current[c]) < 0 then
    local stop = (floor(now / length[c]) + 2) * length[c]
    redis.call('PEXPIREAT', current[c], string.format('%.0f', math.ceil(max(now, real) / 1000) + math.ceil((stop - now) / 900) + 1000))
    redis.call('UNLINK', old[c])
  end
end

-- Plain operations, by far the most common, are decided in fewer steps. If one of them is not a common case, all take the long way: nothing was changed yet.
local function decide_plain()
  local r = rules[1]
  local in_one_go = r.kind < 5 and make_common(r.kind, now, unpack, pack, floor, min, max, sub)
  if not in_one_go then return end
  local cost, next_count = unpack('<I4', ARGV[3])
  local has_counts = #ARGV[3] > 4
  local states = redis.call('HMGET', current[1], spread(ARGV, 4))
  local missing, places, is_new
  for i = 1, #states do
    if not states[i] then
      if not missing then missing, places = {}, {} end
      local size = #missing + 1
      missing[size], places[size] = ARGV[i + 3], i
    end
  end
  if missing then
    -- Where nothing is found there may be no hash yet.
    is_new = #missing == #states
    for j, state in ipairs(redis.call('HMGET', previous[1], spread(missing))) do states[places[j]] = state end
  end
  local numbers, filled, fields, size, wide = {}, 0, {}, 0, r.kind > 2
  local count = 1
  for i = 1, #states do
    if has_counts then count, next_count = unpack('<H', ARGV[3], next_count) end
    local g, state, a, b, c = in_one_go(r, states[i], count, cost)
    if not g then return end
    numbers[filled + 1], numbers[filled + 2], numbers[filled + 3] = g, a, b
    filled = filled + 3
    if wide then
      filled = filled + 1
      numbers[filled] = c
    end
    if state then
      fields[size + 1], fields[size + 2] = ARGV[i + 3], state
      size = size + 2
    end
  end
  if size > 0 then keep(1, fields, size, is_new) end
  return finish('K') .. pack('<' .. string.rep(ANSWERS[r.kind], #states), spread(numbers))
end
if plain and not (behind or now < open) then
  local reply = decide_plain()
  if reply then return reply end
end

-- DECIDE: as many requests as counted, of one cost each. GROUP: as many DECIDEs as counted follow, all or none; their count is a mode: 0 enforced, 1 shadow,
-- 2 quota. SETTLE adds actual cost, whether there is a stamp, stamp. RENEW adds a stamp. HINT adds three numbers.
local GROUP, SETTLE, RENEW, HINT = 1, 2, 3, 4

local rule_of, counts, costs, ids, n = {}, {}, {}, {}, 0
local others, extra, hints, looks_elsewhere = {}, {}, 0, false
if plain then
  local cost, next_count = unpack('<I4', ARGV[3])
  for i = 4, #ARGV do
    n = n + 1
    ids[n], costs[n], rule_of[n], counts[n] = ARGV[i], cost, rules[1], 1
    if next_count <= #ARGV[3] then counts[n], next_count = unpack('<H', ARGV[3], next_count) end
  end
  rules[1].shelf.wanted, rules[1].shelf.count = ids, n
else
  text = ARGV[3]
  at = 1
  while at <= #text do
    n = n + 1
    local kind, rule, id
    kind, rule, counts[n], costs[n], id, at = unpack('<BBHI4c16', text, at)
    ids[n] = id
    if kind ~= GROUP then
      local r = rules[rule + 1]
      local shelf = r.shelf
      local count = shelf.count + 1
      rule_of[n], shelf.wanted[count], shelf.count = r, id, count
      if r.also > 0 then looks_elsewhere = true end
    end
    if kind > 0 then
      others[n] = kind
      if kind == SETTLE then
        local actual, stamped, stamp
        actual, stamped, stamp, at = unpack('<dBd', text, at)
        extra[n] = { actual, stamped == 1 and stamp or nil }
      elseif kind == RENEW then
        extra[n], at = unpack('<d', text, at)
      elseif kind == HINT then
        local a, b, c
        a, b, c, at = unpack('<ddd', text, at)
        extra[n], hints = { a, b, c }, hints + 1
      end
    end
  end
end
if n > hints and (behind or now < open) then return finish('S') end

-- States, read once and overlaid by what the batch changes.
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
  local shelf = shelves[c]
  if shelf.count > 0 then
    local missing = fetch(current[c], shelf.wanted, shelf.states)
    if missing then
      -- Where nothing is found there may be no hash yet.
      shelf.is_new = #missing == shelf.count
      fetch(previous[c], missing, shelf.states)
    end
  end
end

-- A counter whose rule moved to another class is looked up there too, and moved once it is written.
local moved
if looks_elsewhere then
  moved = {}
  for i = 1, n do
    local r, id = rule_of[i], ids[i]
    for c = 1, classes do
      if r and floor(r.also / 2 ^ (c - 1)) % 2 == 1 and not r.shelf.states[id] then
        local state = redis.call('HGET', current[c], id) or redis.call('HGET', previous[c], id)
        if state then
          r.shelf.states[id] = state
          moved[#moved + 1] = { r.shelf, id, c }
        end
      end
    end
  end
end

-- What is written later wins.
local function write(r, id, state)
  local shelf = r.shelf
  local size = shelf.size
  shelf.states[id], shelf.fields[size + 1], shelf.fields[size + 2], shelf.size = state, id, state, size + 2
end

-- Functions are made when they are first needed, and get what they use as parameters: making them all would cost more than a common decision.

-- What is not common, or not a single charge.
local function make_rest(now, rule_of, counts, costs, ids, extra, write, unpack, pack, floor, byte, sub, min, max)
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
  -- its decisions from. used(state) tells by a state alone how much it counts under its own rule, and fill(rule, s, permits) is how another rule takes that over;
  -- hint(rule, s, hint) makes it count at least what a node saw, and says whether that was more. settle(rule, s, cost, actual, stamp) gives back or charges more; it
  -- returns what was given back in permits, negative for what was charged in addition, and whether the state changed where that does not show in it. Each algorithm
  -- is made when it is first needed.
  local makers, algorithms = {}, {}
  local kind_of_tag = { [84] = 1, [85] = 1, [70] = 2, [67] = 3, [87] = 4, [119] = 4, [76] = 5 }

  local function algorithm(kind)
    local a = algorithms[kind]
    if not a then
      a = makers[kind]()
      algorithms[kind] = a
    end
    return a
  end

  local function load(i)
    local r, id = rule_of[i], ids[i]
    local a = algorithm(r.kind)
    local state = r.shelf.states[id]
    if not state then return a, r, a.fresh(r) end
    local s = a.load(r, state)
    if not s then
      s = a.fresh(r)
      local used = algorithm(kind_of_tag[byte(state)]).used(state)
      if used > 0 then a.fill(r, s, used) end
      write(r, id, a.save(r, s))
    end
    return a, r, s
  end

  -- token-bucket. Rule: emission q + r/l µs per permit (1, 2, 3), depth in µs and l-ths of one (4, 5), burst (6), window (7). In s: µs and l-ths until the bucket
  -- is full. State: T, the instant at which it is full, window, q; or U, instant, window, q, l-ths, r, l.
  makers[1] = function()
    local bucket = {}
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
    function bucket.used(state)
      local us, part, q, rest, l = full_at(state)
      if us < now then return 0 end
      local r = { q, rest, l }
      local permits = emitted(r, us - now, part)
      local a, b = filled(r, 0, 0, permits)
      return less(a, b, us - now, part) and permits + 1 or permits
    end
    function bucket.hint(r, s, hint)
      local us = hint[1] - now
      if not less(s[1], s[2], us, hint[2]) then return false end
      s[1], s[2] = us, hint[2]
      return true
    end
    -- Time is taken to have refilled a charge first: what it has given back on its own is not given back once more.
    local function unfilled(r, cost, stamp)
      local us, part = filled(r, 0, 0, min(cost, r[6]))
      local passed = max(0, now - stamp)
      if us < passed then return 0, 0 end
      return us - passed, part
    end
    function bucket.settle(r, s, cost, actual, stamp)
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
    return bucket
  end

  -- fixed-window. Rule: limit (1), window (2), or for calendar windows 0 and the bounds start, end and next end (3, 4, 5). State: F, start and end of its window, count.
  makers[2] = function()
    local fixed = {}
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
      elseif start > now and (stop - start == r[2] or (start == r[4] and stop == r[5])) then
        s.start, s.stop, s.count = start, stop, count
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
    function fixed.used(state)
      local start, stop, count = unpack('<ddd', state, 2)
      return now < stop and count or 0
    end
    function fixed.hint(r, s, hint)
      if hint[1] ~= s.start or hint[2] <= s.count then return false end
      s.count = hint[2]
      return true
    end
    function fixed.settle(r, s, cost, actual, stamp)
      if actual < cost and stamp and stamp ~= s.start then return 0 end
      local before = s.count
      s.count = clamp(before - cost + actual, 0, 4294967295)
      return before - s.count
    end
    return fixed
  end

  -- sliding-counter. Rule: limit (1), window (2). State: C, window, start of its window, the previous window's count, its own.
  makers[3] = function()
    local counter = {}
    local function fading(s, window)
      local whole, rest = scaled(s.previous, window - max(0, now - s.start), window)
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
    function counter.used(state)
      local s, window = counts_at(state)
      return s.own + fading(s, window)
    end
    function counter.hint(r, s, hint)
      local previous, own = s.previous, s.own
      if hint[1] == s.start then
        s.previous, s.own = max(previous, hint[2]), max(own, hint[3])
      elseif hint[1] == s.start - r[2] then
        s.previous = max(previous, hint[3])
      end
      return s.previous > previous or s.own > own
    end
    function counter.settle(r, s, cost, actual, stamp)
      local field = 'own'
      if actual < cost and stamp and stamp ~= s.start then
        if stamp ~= s.start - r[2] then return 0 end
        field = 'previous'
      end
      local before = s[field]
      s[field] = clamp(before - cost + actual, 0, 16777215)
      return before - s[field]
    end
    return counter
  end

  -- sliding-window. Rule: limit (1), window (2). State: W, window, the permits in it, then for each instant at which permits were taken, oldest first, instant and
  -- permits. Past 1,024 instants those within 1/1,024 of the window become one, the latest of them: permits then come back that much later, never earlier. The state
  -- begins with w then, for as long as one follows the other.
  makers[4] = function()
    local HEAD, ENTRY, MANY = 13, 12, 1024
    local window = {}
    local function log_at(state, length)
      local s = { sum = 0, log = '', at = 1, tail = '', last = 0 }
      s.sum = unpack('<I4', state, 10)
      local size = #state
      if size == HEAD then return s end
      s.log, s.at = state, HEAD + 1
      s.last = unpack('<d', state, size - ENTRY + 1)
      local horizon = max(now, s.last) - length
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
      local tag, length = unpack('<Bd', state)
      if (tag ~= 87 and tag ~= 119) or length ~= r[2] then return nil end
      local s = log_at(state, length)
      s.merged = tag == 119
      return s
    end
    function window.fits(r, s, permits) return s.sum + permits <= r[1] end
    function window.take(r, s, permits)
      local entries = (#s.log - s.at + 1 + #s.tail) / ENTRY
      local instant = max(now, s.last)
      if entries >= MANY and s.tail == '' then
        local quantum = r[2] / MANY
        if floor(s.last / quantum) == floor(instant / quantum) then
          permits = permits + unpack('<I4', s.log, #s.log - 3)
          s.sum = s.sum - unpack('<I4', s.log, #s.log - 3)
          s.log = sub(s.log, 1, #s.log - ENTRY)
          s.merged = true
        end
      end
      s.sum, s.tail, s.last = s.sum + permits, s.tail .. pack('<dI4', instant, permits), instant
    end
    function window.fill(r, s, permits) window.take(r, s, min(permits, r[1])) end
    function window.save(r, s)
      local log = sub(s.log, s.at) .. s.tail
      return pack('<BdI4', s.merged and #log > 0 and 119 or 87, r[2], s.sum) .. log
    end
    function window.answer(r, s) return pack('<dd', s.sum, s.last) end
    function window.fits_at(r, s, permits)
      local log, sum, i, instant, taken = sub(s.log, s.at) .. s.tail, s.sum, 1, now, 0
      while sum + permits > r[1] and i <= #log do
        instant, taken, i = unpack('<dI4', log, i)
        sum = sum - taken
      end
      return instant + r[2]
    end
    function window.used(state) return log_at(state, (unpack('<d', state, 2))).sum end
    -- Who saw the counter last saw all that still counts, but not when it was taken: at the latest when it was seen. What is here from before is then part of it,
    -- and may itself be what somebody saw, with instants that are not the true ones.
    function window.hint(r, s, hint)
      local sum, seen_at = hint[1], min(hint[2], now)
      if seen_at + r[2] <= now then return false end
      if seen_at > s.last then
        s.sum, s.log, s.at, s.tail, s.last = 0, '', 1, '', seen_at
      end
      local missing = sum - s.sum
      if missing <= 0 then return false end
      s.sum, s.tail = sum, s.tail .. pack('<dI4', s.last, missing)
      return true
    end
    function window.settle(r, s, cost, actual, stamp)
      local permits = cost - actual
      if permits < 0 then
        local debt = clamp(-permits, 0, max(0, 2 * r[1] - s.sum))
        if debt > 0 then window.take(r, s, debt) end
        return -debt
      end
      local log = sub(s.log, s.at) .. s.tail
      -- Where instants were put together, the charge is in the entry of its part of the window.
      local quantum = s.merged and r[2] / MANY
      local parts, left, i, last = {}, permits, 1, 0
      while i <= #log do
        local instant, taken
        instant, taken, i = unpack('<dI4', log, i)
        if left > 0 and (not stamp or instant == stamp or (quantum and instant > stamp and floor(instant / quantum) == floor(stamp / quantum))) then
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
    return window
  end

  -- concurrency. Rule: limit (1), lease time (2). State: L, number of the newest lease, then leases in the order in which they end: number, end, permits.
  makers[5] = function()
    local leases = {}
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
    leases.take_each = true
    function leases.renew(r, s, id)
      for place, lease in ipairs(s.list) do
        if lease[1] == id then
          table.remove(s.list, place)
          add_lease(s, { id, now + r[2], lease[3] })
          return true
        end
      end
      return false
    end
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
    function leases.used(state) return leases.load(nil, state).held end
    function leases.settle(r, s, cost, actual, stamp)
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
    return leases
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

  -- The answer is of the state before; the instant at which one more would fit is of the state after.
  local function decide(i, count, cost)
    local a, r, s = load(i)
    local answer = a.answer(r, s)
    local g, state = granted(a, r, s, count, cost), nil
    if g > 0 and cost > 0 then
      if a.take_each then
        -- Each holder releases its own.
        for _ = 1, g do a.take(r, s, cost) end
      else
        a.take(r, s, g * cost)
      end
      state = a.save(r, s)
    end
    if a.fits_at then answer = answer .. pack('<d', g < count and a.fits_at(r, s, cost) or 0) end
    return g, pack('<H', g) .. answer, state
  end

  -- Several limits of one request: each is decided as after those before it; if the request is refused all is undone, and every answer is of the state as it
  -- was, a counter named several times refusing for all that is asked of it together.
  local function decide_group(first, last, decide_any)
    local before, after, g, answers, asked = {}, {}, {}, {}, {}
    local refused, quotas, refused_quotas = false, 0, 0
    for i = first, last do
      local shelf, id, state = rule_of[i].shelf, ids[i], nil
      g[i], answers[i - first + 1], state = decide_any(i, 1, costs[i])
      before[i] = shelf.states[id]
      if state then shelf.states[id], after[i] = state, state end
      asked[id] = (asked[id] or 0) + costs[i]
      if counts[i] == 0 then
        refused = refused or g[i] == 0
      elseif counts[i] == 2 then
        quotas, refused_quotas = quotas + 1, refused_quotas + 1 - g[i]
      end
    end
    refused = refused or (quotas > 0 and refused_quotas == quotas)
    if refused then
      for i = last, first, -1 do rule_of[i].shelf.states[ids[i]] = before[i] end
      for i = first, last do
        local a, r, s = load(i)
        local answer = pack('<H', g[i]) .. a.answer(r, s)
        if a.fits_at then answer = answer .. pack('<d', g[i] == 0 and a.fits_at(r, s, asked[ids[i]]) or 0) end
        answers[i - first + 1] = answer
      end
    else
      for i = first, last do
        if after[i] then write(rule_of[i], ids[i], after[i]) end
      end
    end
    return pack('<B', refused and 1 or 0) .. table.concat(answers)
  end

  local handlers, eras = {}, 0
  function handlers.eras() return eras end
  handlers[2] = function(i)
    local a, r, s = load(i)
    local full = not a.fits(r, s, 1)
    local given, is_changed = a.settle(r, s, costs[i], extra[i][1], extra[i][2])
    if is_changed or (is_changed == nil and given ~= 0) then
      write(r, ids[i], a.save(r, s))
      -- Nodes remember refusals; what makes one untrue begins a new era.
      if full and given >= 0 then eras = eras + 1 end
    end
    return pack('<d', given)
  end
  handlers[3] = function(i)
    local a, r, s = load(i)
    if not (a.renew and a.renew(r, s, extra[i])) then return pack('<d', 0) end
    write(r, ids[i], a.save(r, s))
    return pack('<d', 1)
  end
  handlers[4] = function(i)
    local a, r, s = load(i)
    if a.hint and a.hint(r, s, extra[i]) then write(r, ids[i], a.save(r, s)) end
    return ''
  end
  return { decide = decide, group = decide_group, handlers = handlers }
end
local rest
local function the_rest()
  rest = rest or make_rest(now, rule_of, counts, costs, ids, extra, write, unpack, pack, floor, byte, sub, min, max)
  return rest
end

-- Decides one operation: how many are granted, the answer, and the new state if there is one.
local function decide(i, count, cost)
  local r = rule_of[i]
  local in_one_go = common[r.kind]
  if in_one_go == nil then
    in_one_go = make_common(r.kind, now, unpack, pack, floor, min, max, sub) or false
    common[r.kind] = in_one_go
  end
  if in_one_go then
    local g, state, a, b, c = in_one_go(r, r.shelf.states[ids[i]], count, cost)
    if g then return g, pack('<' .. ANSWERS[r.kind], g, a, b, c), state end
  end
  return the_rest().decide(i, count, cost)
end

local replies, size = { '' }, 1
local i = 1
while i <= n do
  local kind = others[i]
  size = size + 1
  if not kind then
    local _, answer, state = decide(i, counts[i], costs[i])
    replies[size] = answer
    if state then write(rule_of[i], ids[i], state) end
  elseif kind == GROUP then
    replies[size] = the_rest().group(i + 1, i + counts[i], decide)
    i = i + counts[i]
  else
    replies[size] = the_rest().handlers[kind](i)
  end
  i = i + 1
end

for c = 1, classes do
  local shelf = shelves[c]
  if shelf.size > 0 then keep(c, shelf.fields, shelf.size, shelf.is_new) end
end
if moved then
  for _, m in ipairs(moved) do
    local shelf, id, elsewhere = m[1], m[2], m[3]
    for place = 1, shelf.size, 2 do
      if shelf.fields[place] == id then
        redis.call('HDEL', current[elsewhere], id)
        redis.call('HDEL', previous[elsewhere], id)
        break
      end
    end
  end
end
if rest and rest.handlers.eras() > 0 then era, changed_record = era + rest.handlers.eras(), true end
replies[1] = finish('K')
return table.concat(replies)
