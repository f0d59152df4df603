// Reads the page for Prometheus and works out rates and quantiles from differences between samples.

const keptSeconds = 300;
const keptRulesSeconds = 65;

function* samples(text) {
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_]\w*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!match) continue;
    const labels = {};
    for (const [, name, value] of (match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      labels[name] = value.replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c));
    }
    yield [match[1], labels, match[3] === '+Inf' ? Infinity : Number(match[3])];
  }
}

const setters = {
  ratelimiter_requests_checked_total: (s, l, v) => { s[l.result] = v; },
  ratelimiter_check_duration_seconds_bucket: (s, l, v) => { s.buckets.push([l.le === '+Inf' ? Infinity : Number(l.le), v]); },
  ratelimiter_active_counters: (s, l, v) => { s.active = v; },
  ratelimiter_rule_decisions_total: (s, l, v) => { ruleOf(s, l)[l.result] = v; },
  ratelimiter_degraded_decisions_total: (s, l, v) => { s.degraded += v; s.degradedBy.set(l.reason, v); },
  ratelimiter_engine_state: (s, l, v) => { if (v === 1) s.engineState = l.state; },
  ratelimiter_http_requests_rejected_total: (s, l, v) => { s.rejected.set(l.reason, v); },
  ratelimiter_build_info: (s, l) => { s.version = l.version; },
  process_start_time_seconds: (s, l, v) => { s.started = v; },
  process_resident_memory_bytes: (s, l, v) => { s.memory = v; },
  process_cpu_seconds_total: (s, l, v) => { s.cpu = v; },
};

function ruleOf(sample, labels) {
  const id = JSON.stringify([labels.domain, labels.rule]);
  if (!sample.rules.has(id)) sample.rules.set(id, { id, domain: labels.domain, rule: labels.rule, allowed: 0, blocked: 0, shadow_blocked: 0 });
  return sample.rules.get(id);
}

/** Reads one page. `at` is in seconds on the browser's monotonic clock. */
export function read(text, at) {
  const sample = { at, allowed: 0, blocked: 0, buckets: [], active: 0, rules: new Map(), degraded: 0, degradedBy: new Map(), rejected: new Map(), started: 0, memory: 0, cpu: 0 };
  for (const [name, labels, value] of samples(text)) setters[name]?.(sample, labels, value);
  return sample;
}

/** The samples of the last minutes. A node that started anew begins a new history, for its counters begin at zero. */
export class History {
  samples = [];

  push(sample) {
    const last = this.last;
    if (last && (sample.started !== last.started || sample.allowed < last.allowed || sample.blocked < last.blocked)) this.samples = [];
    this.samples.push(sample);
    while (this.samples[0].at < sample.at - keptSeconds - 10) this.samples.shift();
    // Rules are many, and only the last minute of them is shown.
    for (const old of this.samples) {
      if (old.at >= sample.at - keptRulesSeconds) break;
      old.rules = undefined;
    }
  }

  get last() {
    return this.samples.at(-1);
  }

  /** The newest sample and the one about so many seconds before it; null when there is only one. */
  over(seconds) {
    const newest = this.last;
    const older = this.samples.find(s => s.at >= newest.at - seconds - 0.5);
    return older && older !== newest ? [older, newest] : null;
  }

  /** Requests per second between neighbours, for the chart. A gap much longer than the period separates lines. */
  points(period) {
    const points = [];
    for (let i = 1; i < this.samples.length; i++) {
      const [a, b] = [this.samples[i - 1], this.samples[i]];
      const seconds = b.at - a.at;
      points.push({
        at: b.at,
        gap: seconds > 4 * period,
        allowed: (b.allowed - a.allowed) / seconds,
        blocked: (b.blocked - a.blocked) / seconds,
      });
    }
    return points;
  }
}

/** The duration that a share of the checks between two samples stayed below, in seconds; null when there were none. */
export function quantile([older, newer], share) {
  let [low, before] = [0, 0];
  const total = newer.buckets.at(-1)[1] - older.buckets.at(-1)[1];
  if (total <= 0) return null;
  for (let i = 0; i < newer.buckets.length; i++) {
    const bound = newer.buckets[i][0];
    const below = newer.buckets[i][1] - older.buckets[i][1];
    if (below >= share * total) {
      return bound === Infinity ? low : low + ((bound - low) * (share * total - before)) / (below - before);
    }
    [low, before] = [bound, below];
  }
  return low;
}

/** What each rule decided between two samples, the most blocked first. Pass null as the older one for everything since the start. */
export function topRules(older, newer, most) {
  const rules = [];
  for (const rule of newer.rules.values()) {
    const was = older?.rules?.get(rule.id) ?? { allowed: 0, blocked: 0, shadow_blocked: 0 };
    const now = { ...rule, allowed: rule.allowed - was.allowed, blocked: rule.blocked - was.blocked, shadow: rule.shadow_blocked - was.shadow_blocked };
    if (now.allowed + now.blocked + now.shadow > 0) rules.push(now);
  }
  rules.sort((a, b) => b.blocked - a.blocked || b.allowed - a.allowed || (a.id < b.id ? -1 : 1));
  return rules.slice(0, most);
}
