-- Requests of aspnetcore.sh for wrk, made before the run so that making them costs the load generator nothing during it.
--   wrk -s aspnetcore.lua URL -- KEYS
local requests = {}

function init(args)
  math.randomseed(os.time())
  for i = 1, 100000 do
    requests[i] = wrk.format("GET", "/", { ["X-User"] = "user-" .. math.random(tonumber(args[1])) })
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
