import { Chart } from './chart.js';
import { $, banner, el, keyCell, setData, setRows, setText } from './dom.js';
import { bytes, count, duration, percent, rate, shortTime } from './format.js';
import { quantile, topRules } from './metrics.js';

const mostRules = 12;
const nowSeconds = 10;
const rejections = {
  bad_request: 'bad request', unauthorized: 'no token', not_found: 'not found',
  method_not_allowed: 'wrong method', too_large: 'too large', unavailable: 'without Redis',
};

const degradations = {
  counter_bound: 'the node holds as many counters as RATELIMITER_MAX_COUNTERS allows',
  redis_timeout: 'Redis did not answer in time', redis_unavailable: 'Redis was away', redis_error: 'Redis refused',
  resync: 'Redis had lost data', queue_full: 'too many were waiting for Redis',
};

const chart = new Chart($('chart'));

/** Shows what the samples say: the tiles, the chart, the top rules and the header's facts. */
export function showTraffic(history, period, serverTime) {
  const last = history.last;
  showFacts(history, serverTime);
  showRates(history.over(nowSeconds), last);
  showTimes(history.over(nowSeconds));
  showEvents(history.over(60), last);
  setText($('t-active'), count(last.active));
  setText($('t-active-sum'), 'counting now');
  chart.show(history.points(period), last.at);
  showTop(history);
}

function showFacts(history, serverTime) {
  const { last } = history;
  setText($('version'), last.version ?? '–');
  setText($('uptime'), last.started ? duration(Math.max(1000, Math.floor(serverTime / 1000 - last.started) * 1000)) : '–');
  setText($('memory'), bytes(last.memory));
  const pair = history.over(nowSeconds);
  setText($('cpu'), pair ? percent((pair[1].cpu - pair[0].cpu) / (pair[1].at - pair[0].at)) : '–');
}

function showRates(pair, last) {
  const perSecond = name => (pair ? (pair[1][name] - pair[0][name]) / (pair[1].at - pair[0].at) : null);
  const [allowed, blocked] = [perSecond('allowed'), perSecond('blocked')];
  setValue($('t-allowed'), allowed === null ? '–' : rate(allowed), '/s');
  setText($('t-allowed-sum'), `${count(last.allowed)} in all`);
  setValue($('t-blocked'), blocked === null ? '–' : rate(blocked), '/s');
  setText($('t-blocked-sum'), allowed + blocked > 0 ? `${percent(blocked / (allowed + blocked))} of requests` : `${count(last.blocked)} in all`);
}

function showTimes(pair) {
  for (const [id, share] of [['t-p50', 0.5], ['t-p99', 0.99]]) {
    setValue($(id), ...shortTime(pair && quantile(pair, share)));
    setText($(`${id}-sum`), 'last 10 s, about');
  }
}

function showEvents(pair, last) {
  const sumOf = (sample, pick) => [...(sample.rules?.values() ?? [])].reduce((sum, rule) => sum + pick(rule), 0);
  const shadow = s => sumOf(s, r => r.shadow_blocked);
  const rejected = s => [...s.rejected.values()].reduce((a, b) => a + b, 0);
  const inMinute = read => (pair ? read(pair[1]) - read(pair[0]) : 0);
  const degraded = inMinute(s => s.degraded);

  setValue($('t-shadow'), count(inMinute(shadow)), '/min');
  setText($('t-shadow-sum'), `${count(shadow(last))} in all`);
  setData($('shadow-tile'), 'on', inMinute(shadow) > 0);

  setValue($('t-degraded'), count(degraded), '/min');
  setText($('t-degraded-sum'), `${count(last.degraded)} in all`);
  setData($('degraded-tile'), 'on', degraded > 0);
  banner('degraded', 'warn', degraded > 0
    ? `⚠ ${count(degraded)} ${degraded === 1 ? 'decision' : 'decisions'} in the last minute came from failure policies, not from counters: ${whyDegraded(pair)}.`
    : '');

  setValue($('t-rejected'), count(inMinute(rejected)), '/min');
  const reasons = [...last.rejected].filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]);
  setText($('t-rejected-sum'), reasons.length ? reasons.slice(0, 2).map(([reason, n]) => `${count(n)} ${rejections[reason] ?? reason}`).join(', ') : 'no bad requests');
}

function whyDegraded([older, newer]) {
  const reasons = [...newer.degradedBy].map(([reason, n]) => [reason, n - (older.degradedBy.get(reason) ?? 0)]).filter(([, n]) => n > 0);
  return reasons.sort((a, b) => b[1] - a[1]).map(([reason, n]) => `${degradations[reason] ?? reason}${reasons.length > 1 ? ` (${count(n)})` : ''}`).join(', ');
}

function setValue(node, value, unit) {
  if (node.dataset.shown === value + unit) return;
  node.dataset.shown = value + unit;
  node.replaceChildren(value, ...(value === '–' ? [] : [el('i', '', unit)]));
}

function showTop(history) {
  const span = $('top-span').value;
  const pair = span ? history.over(Number(span)) : [null, history.last];
  const rules = pair ? topRules(pair[0], pair[1], mostRules) : [];
  setRows($('top-rows'), rules, rule => rule.id, topRow);
  $('top-empty').hidden = rules.length > 0;
}

function topRow(rule) {
  const [blocked, allowed, shadow] = [el('td', 'num'), el('td', 'num'), el('td', 'num')];
  const [partAllowed, partBlocked] = [el('i'), el('i')];
  const share = el('td', 'wide', el('span', 'bars', partAllowed, partBlocked));
  const update = ({ allowed: a, blocked: b, shadow: s }) => {
    setText(blocked, count(b));
    setText(allowed, count(a));
    setText(shadow, s ? count(s) : '–');
    blocked.classList.toggle('hot', b > 0);
    shadow.classList.toggle('would', s > 0);
    partAllowed.style.width = `${(100 * a) / (a + b || 1)}%`;
    partBlocked.style.width = `${(100 * b) / (a + b || 1)}%`;
    share.title = `${percent(b / (a + b || 1))} blocked`;
  };
  return { row: el('tr', '', keyCell(rule.rule), el('td', 'wide', rule.domain), blocked, allowed, shadow, share), update };
}
