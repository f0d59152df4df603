-- Requests of http.sh for wrk, made before the run so that making them costs the load generator nothing during it.
--   wrk -s http.lua URL -- TRAFFIC KEYS     TRAFFIC is get, post or batch
local requests = {}

local function post(body)
  return wrk.format("POST", "/check", { ["Content-Type"] = "application/json" }, body)
end

local function batch(keys)
  local checks = {}
  for i = 1, 100 do
    checks[i] = '{"key":"user-' .. math.random(keys) .. '"}'
  end
  return post('{"checks":[' .. table.concat(checks, ",") .. "]}")
end

local make = {
  get = function(keys) return wrk.format("GET", "/rate-limit/user-" .. math.random(keys)) end,
  post = function(keys) return post('{"key":"user-' .. math.random(keys) .. '"}') end,
  batch = batch,
}

function init(args)
  local traffic, keys = args[1], tonumber(args[2])
  math.randomseed(os.time())
  for i = 1, traffic == "batch" and 2000 or 200000 do
    requests[i] = make[traffic](keys)
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
