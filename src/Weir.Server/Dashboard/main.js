import { AnswerError, ask, hasToken, send, setToken } from './api.js';
import { countDown, hideCounters, refreshBlocks, refreshCounters } from './counters.js';
import { $, banner, setData, setText } from './dom.js';
import { clock } from './format.js';
import { refreshLimits } from './limits.js';
import { History, read } from './metrics.js';
import { refreshNodes } from './nodes.js';
import { refreshRules } from './rules.js';
import { showTraffic } from './traffic.js';
import './try.js';

const periodMs = 2000;
const slowEvery = 5;
// Listing looks at every counter that the node holds, so a node with very many is asked less often.
const manyCounters = 100_000;
const away = ['starting', 'degraded', 'resync'];

const history = new History();
let round = 0;
let timer;
let paused = false;
let locked = false;
let lostAt = null;

async function refreshMetrics() {
  const response = await send('metrics');
  if (!response.ok) throw new AnswerError(response.status, null);
  const text = await response.text();
  history.push(read(text, performance.now() / 1000));
  const serverTime = Date.parse(response.headers.get('Date')) || Date.now();
  showTraffic(history, periodMs / 1000, serverTime);
}

async function refreshState() {
  const response = await send('health/ready');
  const { status, reason } = await response.json();
  // What is wrong with Redis takes more than a word.
  const inAWord = ['ready', 'starting', 'stopping'].find(word => word === (reason ?? status));
  showState(inAWord ?? 'not ready');
  banner('not-ready', 'bad', inAWord ? '' : `This node should not get requests. ${reason}`);
  if (round % slowEvery === 0) setText($('node-id'), (await ask('health')).node);
}

function showState(state) {
  $('state').dataset.state = state;
  setText($('state'), state);
  document.title = state === 'ready' ? `Weir – ${$('node-id').textContent || 'node'}` : `(${state}) Weir`;
}

async function refreshEngine() {
  const engine = (await refreshNodes()) ?? '–';
  const state = history.last.engineState;
  setText($('engine'), state && state !== 'healthy' ? `${engine}, ${state}` : engine);
  setData($('engine'), 'state', state);
}

/** What needs the administrator's token. One refusal is enough to know that it is missing: the rest waits for it. */
async function refreshManagement() {
  if (locked) return;
  const slow = round % slowEvery === 0;
  const lists = slow || history.last.active < manyCounters;
  try {
    await refreshEngine();
    if (slow) {
      await Promise.all([refreshLimits(), refreshRules()]);
    }
    // Counters are in Redis, and cannot be looked at without it.
    if (away.includes(history.last.engineState)) hideCounters('Not known: Redis cannot be asked.');
    else if (lists) await Promise.all([refreshBlocks(), refreshCounters()]);
  } catch (error) {
    if (error.status !== 401) throw error;
    lock();
  }
}

function lock() {
  locked = true;
  const wrong = hasToken();
  setToken('');
  if (wrong) setText($('token-why'), 'The node refused that token. Give the one in its RATELIMITER_ADMIN_TOKEN.');
  showLock();
}

function showLock() {
  $('token-form').hidden = !locked;
  document.body.classList.toggle('locked', locked);
  for (const id of ['blocked', 'counters', 'limits', 'rules', 'explain']) $(id).hidden = locked;
  if (locked) for (const id of ['nodes', 'nodes-link']) $(id).hidden = true;
  if (locked) $('token').focus({ preventScroll: true });
}

async function tick() {
  clearTimeout(timer);
  try {
    await refreshMetrics();
    await refreshState();
    await refreshManagement();
    found();
  } catch (error) {
    lost(error);
  }
  round++;
  schedule();
}

function schedule() {
  clearTimeout(timer);
  if (!paused && !document.hidden) timer = setTimeout(tick, periodMs);
}

function found() {
  lostAt = null;
  document.body.classList.remove('stale');
  banner('lost', 'bad', '');
}

function lost(error) {
  // The node answered, so it is there: what it said is the problem.
  const answered = error instanceof AnswerError;
  lostAt ??= new Date();
  document.body.classList.toggle('stale', !answered);
  if (!answered) showState('unreachable');
  // Why Redis cannot be asked is said already.
  const isSaid = error.status === 503 && $('state').dataset.state === 'not ready';
  banner('lost', 'bad', isSaid ? '' : answered ? error.message
    : `No answer from this node since ${clock(lostAt)}. What is below may be old. Trying again every ${periodMs / 1000} s.`);
  // The first answer after this should show everything at once.
  round = -1;
}

$('pause').addEventListener('click', () => {
  paused = !paused;
  $('pause').setAttribute('aria-pressed', paused);
  setText($('pause'), paused ? 'Resume' : 'Pause');
  if (!paused) tick();
  else clearTimeout(timer);
});

$('token-form').addEventListener('submit', event => {
  event.preventDefault();
  setToken($('token').value.trim());
  $('token').value = '';
  locked = false;
  round = 0;
  tick().then(showLock);
});

document.addEventListener('visibilitychange', () => {
  clearTimeout(timer);
  if (!document.hidden && !paused) tick();
});

setInterval(() => { if (!document.hidden) countDown(); }, 1000);
tick();
