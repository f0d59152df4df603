-- Requests of sample.sh for wrk, made before the run so that making them costs the load generator nothing during it.
--   wrk -s sample.lua URL -- page|talk KEY CONVERSATIONS-FILE
-- Every request comes from one of 10,000 client addresses, as a balancer would say it.
local requests = {}

local function address(i)
  return string.format("10.%d.%d.%d", 1 + i % 4, math.floor(i / 4) % 50, 1 + math.floor(i / 200) % 50)
end

function init(args)
  local conversations = {}
  if args[1] == "talk" then
    for line in io.lines(args[3]) do conversations[#conversations + 1] = line end
  end
  math.randomseed(os.time())
  for i = 1, 20000 do
    local headers = { ["X-API-Key"] = args[2], ["X-Forwarded-For"] = address(math.random(10000)) }
    if args[1] == "talk" then
      requests[i] = wrk.format("POST", "/conversations/" .. conversations[math.random(#conversations)] .. "/messages", headers, '{"content":"a question of some length"}')
    else
      requests[i] = wrk.format("GET", "/", headers)
    end
  end
end

local at = 0
function request()
  at = at % #requests + 1
  return requests[at]
end

-- One line for the script: requests, seconds, p50 and p99 in ms, answers of 400 and above, socket errors.
function done(summary, latency)
  local e = summary.errors
  print(string.format("RESULT %d %.3f %.3f %.3f %d %d", summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, e.status, e.connect + e.read + e.write + e.timeout))
end
