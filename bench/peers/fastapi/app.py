"""A peer of shared.sh: FastAPI, and an exact sliding window kept as a log in a sorted set. One script per request decides, by Redis' clock.

REDIS_URL=redis://127.0.0.1:8130/2 LIMIT=1000 WINDOW_MS=60000 uvicorn app:app --port 8142
"""
import itertools
import os

import redis.asyncio
from fastapi import FastAPI
from fastapi.responses import JSONResponse

LIMIT = int(os.environ.get("LIMIT", "1000"))
WINDOW_MS = int(os.environ.get("WINDOW_MS", "60000"))

DECIDE = """
local log, window, limit = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZREMRANGEBYSCORE', log, 0, now - window)
local used = redis.call('ZCARD', log)
if used < limit then
  redis.call('ZADD', log, now, ARGV[3])
  redis.call('PEXPIRE', log, window)
  return {1, limit - used - 1, window}
end
local oldest = redis.call('ZRANGE', log, 0, 0, 'WITHSCORES')
return {0, 0, oldest[2] + window - now}
"""

store = redis.asyncio.from_url(os.environ["REDIS_URL"])
decide = store.register_script(DECIDE)
# Two requests of one millisecond must be two entries of the log.
entries = itertools.count()
app = FastAPI()


@app.get("/rate-limit/{key}")
async def check(key: str):
    allowed, remaining, reset = await decide(keys=[f"log:{key}"], args=[WINDOW_MS, LIMIT, next(entries)])
    answer = {"allowed": bool(allowed), "key": key, "remaining": remaining, "reset_ms": reset}
    if allowed:
        return answer
    return JSONResponse(answer, status_code=429, headers={"Retry-After": str(-(-int(reset) // 1000))})
