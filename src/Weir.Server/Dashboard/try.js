import { send } from './api.js';
import { $, el, setText } from './dom.js';
import { shortTime } from './format.js';

const example = `{
  "domain": "default",
  "descriptors": [
    { "entries": [ { "key": "key", "value": "alice" } ] }
  ],
  "cost": 1
}`;

const telling = /^(x-ratelimit-|ratelimit|retry-after)/;

/** The request that the form describes. */
function wanted() {
  if ($('try-call').value === 'check') return { path: 'check', method: 'POST', body: $('try-body').value };
  const key = $('try-key').value;
  const cost = Number($('try-cost').value);
  // Browsers and servers take . and .. out of paths, however they are written.
  if (key === '.' || key === '..') return { path: 'check', method: 'POST', body: JSON.stringify({ key, cost }) };
  return { path: `rate-limit/${encodeURIComponent(key)}${cost === 1 ? '' : `?cost=${cost}`}`, method: 'GET' };
}

function curlOf({ path, method, body }) {
  const quoted = text => `'${text.replaceAll("'", "'\\''")}'`;
  const url = quoted(new URL(path, document.baseURI).href);
  return method === 'GET' ? `curl -i ${url}` : `curl -i ${url} -H 'Content-Type: application/json' -d ${quoted(body)}`;
}

async function run(event) {
  event.preventDefault();
  const request = wanted();
  const times = Math.min(200, Math.max(1, Number($('try-times').value) || 1));
  const sendButton = event.submitter ?? event.target.querySelector('button');
  sendButton.disabled = true;
  try {
    const statuses = new Map();
    let last;
    for (let i = 0; i < times; i++) {
      const began = performance.now();
      const response = await send(request.path, request.method, request.body);
      last = { response, text: await response.text(), seconds: (performance.now() - began) / 1000 };
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    }
    show(request, last, times, statuses);
  } catch (error) {
    setText($('try-status'), 'no answer');
    $('try-status').dataset.state = 'bad';
    setText($('try-note'), error.message);
    $('try-headers').replaceChildren();
    $('try-answer').textContent = '';
  } finally {
    sendButton.disabled = false;
    $('try-result').hidden = false;
  }
}

function show(request, { response, text, seconds }, times, statuses) {
  setText($('try-status'), `${response.status} ${response.statusText}`.trim());
  $('try-status').dataset.state = response.ok ? 'ok' : 'bad';
  const sums = [...statuses].sort(([a], [b]) => a - b).map(([status, n]) => `${n} × ${status}`).join(', ');
  setText($('try-note'), times > 1 ? `${times} sent: ${sums}. The last one:` : `in ${shortTime(seconds).join(' ')}, network included`);
  $('try-headers').replaceChildren(...[...response.headers].flatMap(([name, value]) => {
    const kind = telling.test(name) ? 'limit' : '';
    return [el('dt', kind, name), el('dd', kind, value)];
  }));
  let body = null;
  try {
    body = JSON.parse(text);
  } catch { /* shown as it came */ }
  $('try-answer').textContent = body === null ? text : JSON.stringify(body, null, 2);
  const warning = warningOf(body);
  $('try-warn').hidden = !warning;
  setText($('try-warn'), warning);
  setText($('try-curl'), curlOf(request));
}

function warningOf(body) {
  const answers = body?.results ?? [body];
  if (answers.some(a => a?.source === 'degraded')) return '⚠ Degraded: a failure policy decided this, not a counter.';
  if (answers.some(a => a?.statuses?.some(s => s.would_refuse))) return 'A shadow rule would have refused this.';
  return '';
}

$('try-form').addEventListener('submit', run);
$('try-body').value = example;
$('try-call').addEventListener('change', () => {
  for (const field of document.querySelectorAll('#try-form [data-call]')) field.hidden = field.dataset.call !== $('try-call').value;
});
