const whole = new Intl.NumberFormat('en');
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** Text from strangers with its invisible characters made visible, so that none can turn the text around or hide a part of it. */
export const visible = text => text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
  c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** A count: in full up to 99,999, then like 1.2M. */
export const count = n => (Math.abs(n) < 100_000 ? whole.format(Math.round(n)) : compact.format(n));

/** A rate: one digit after the point below ten, none above. */
export const rate = n => (n > 0 && n < 10 ? (n < 0.05 ? '<0.1' : n.toFixed(1)) : count(n));

export const percent = share => (share > 0 && share < 0.001 ? '<0.1%' : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`);

/** A short time in seconds as a number and its unit, like ['3.4', 'µs']. */
export function shortTime(seconds) {
  if (seconds == null) return ['–', ''];
  const [factor, unit] = seconds < 1e-6 ? [1e9, 'ns'] : seconds < 1e-3 ? [1e6, 'µs'] : seconds < 1 ? [1e3, 'ms'] : [1, 's'];
  const value = seconds * factor;
  return [value < 9.95 ? value.toFixed(1) : Math.round(value).toString(), unit];
}

/** A duration in milliseconds as its two largest units, like "1 min 23 s". */
export function duration(ms) {
  if (ms < 1000) return `${ms} ms`;
  const units = [['d', 86_400_000], ['h', 3_600_000], ['min', 60_000], ['s', 1000]];
  const first = units.findIndex(([, size]) => ms >= size);
  const parts = [];
  for (const [unit, size] of units.slice(first, first + 2)) {
    const value = Math.floor(ms / size);
    ms -= value * size;
    if (value > 0) parts.push(`${value} ${unit}`);
  }
  // A window of 1.5 seconds is not one of 1.
  if (first === 3 && ms > 0) return `${parts[0].slice(0, -2)}.${String(Math.floor(ms)).padStart(3, '0').replace(/0+$/, '')} s`;
  return parts.join(' ');
}

/** A wait in milliseconds as a countdown shows it, rounded up to seconds. */
export const wait = ms => duration(Math.ceil(ms / 1000) * 1000);

export const clock = date => date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });

/** An instant: the time of day, with the date when it is not today. */
export function instant(date) {
  const day = date.toDateString() === new Date().toDateString() ? '' : `${date.toLocaleDateString([], { month: 'short', day: 'numeric', year: 'numeric' })}, `;
  return day + clock(date);
}

export const bytes = n => (n < 1 << 30 ? `${Math.round(n / (1 << 20))} MB` : `${(n / (1 << 30)).toFixed(1)} GB`);

/** What a rule allows, like "100 per 1 min". */
export function limit(rule) {
  if (rule.unlimited) return 'unlimited';
  if (rule.limit === 0) return 'refuses everything';
  const burst = rule.burst !== rule.limit ? `, burst ${count(rule.burst)}` : '';
  return rule.algorithm === 'concurrency'
    ? `${count(rule.limit)} at once, leases of ${duration(rule.window_ms)}`
    : `${count(rule.limit)} per ${duration(rule.window_ms)}${burst}`;
}
