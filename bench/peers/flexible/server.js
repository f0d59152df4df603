// A peer of shared.sh: fastify and rate-limiter-flexible on Redis, which counts in fixed windows. Auto-pipelining is on: it makes this peer cheaper.
//   PORT=8141 REDIS_URL=redis://127.0.0.1:8130/1 LIMIT=1000 WINDOW_MS=60000 node server.js
import Fastify from 'fastify';
import { Redis } from 'ioredis';
import flexible from 'rate-limiter-flexible';

const { PORT, REDIS_URL, LIMIT = '1000', WINDOW_MS = '60000' } = process.env;
const limiter = new flexible.RateLimiterRedis({
  storeClient: new Redis(REDIS_URL, { enableAutoPipelining: true }),
  points: Number(LIMIT),
  duration: Number(WINDOW_MS) / 1000,
});

const app = Fastify({ logger: false });
app.get('/rate-limit/:key', async (request, reply) => {
  const { key } = request.params;
  try {
    const taken = await limiter.consume(key);
    return { allowed: true, key, remaining: taken.remainingPoints, reset_ms: taken.msBeforeNext };
  } catch (refusal) {
    // A refusal is thrown as a plain result, a failure of Redis as an error.
    if (refusal instanceof Error) throw refusal;
    reply.code(429).header('Retry-After', Math.ceil(refusal.msBeforeNext / 1000));
    return { allowed: false, key, remaining: 0, reset_ms: refusal.msBeforeNext };
  }
});
await app.listen({ host: '127.0.0.1', port: Number(PORT) });
