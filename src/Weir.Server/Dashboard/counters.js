import { ask } from './api.js';
import { $, badge, button, confirmed, el, keyCell, notify, setRows, setText } from './dom.js';
import { count, instant, percent, wait } from './format.js';
import { isShadow } from './limits.js';

const pageSize = 20;
const searchPage = 1000;
const mostSearched = 100_000;

let cursor = '0';
let next = null;
let asked = 0;

/** Shows who is blocked. Free times run on this browser's clock from the moment of the answer, so clocks need not agree. */
export async function refreshBlocks() {
  const { blocks, next_cursor: more } = await ask('api/blocks?limit=100');
  const now = performance.now();
  for (const block of blocks) {
    block.freeAt = now + block.retry_after_ms;
    block.shadow = isShadow(block.domain, block.rule);
  }
  blocks.sort((a, b) => a.shadow - b.shadow || b.freeAt - a.freeAt);
  setRows($('blocked-rows'), blocks, b => `${b.id} ${b.shadow}`, blockRow);
  const watched = blocks.filter(b => b.shadow).length;
  setText($('blocked-count'), [
    blocks.length ? `${blocks.length}${more ? '+' : ''} ${blocks.length === 1 ? 'key' : 'keys'}` : '',
    watched ? `${watched} of them only watched by shadow rules` : '',
  ].filter(Boolean).join(', '));
  setText($('blocked-empty'), 'Nothing is blocked.');
  $('blocked-empty').hidden = blocks.length > 0;
  countDown();
}

/** Takes the lists away when what they showed cannot be known any more. */
export function hideCounters(why) {
  for (const list of ['blocked', 'counters']) {
    setRows($(`${list}-rows`), []);
    setText($(`${list}-count`), '');
    setText($(`${list}-empty`), why);
    $(`${list}-empty`).hidden = false;
  }
  setText($('counters-note'), '');
}

function blockRow(block) {
  const [free, until] = [el('td', 'num countdown'), el('td', 'wide')];
  const update = b => {
    free.freeAt = b.freeAt;
    setText(until, instant(new Date(b.until)));
  };
  const rule = el('td', 'wide', block.rule);
  rule.title = `limit ${count(block.limit)}, domain ${block.domain}`;
  if (block.shadow) rule.append(badge('shadow', 'goes on all the same: the rule counts, but never refuses'));
  return { row: el('tr', '', keyCell(block.key, block.shadow ? `${block.rule}, shadow` : block.rule), rule, free, until, el('td', '', resetButton(block))), update };
}

/** Lets the countdowns run; call it every second. */
export function countDown() {
  for (const cell of document.querySelectorAll('.countdown')) {
    const left = cell.freeAt - performance.now();
    setText(cell, left > 0 ? wait(left) : 'now');
  }
}

/** Shows the current page of counters, or those whose key begins with what was typed. */
export async function refreshCounters() {
  const prefix = $('counters-prefix').value;
  const mine = ++asked;
  const found = prefix ? await search(prefix, () => mine === asked) : await page();
  // While this one was under way somebody typed on or turned the page: the later answer counts.
  if (mine !== asked) return;
  setRows($('counters-rows'), found.counters, c => c.id, counterRow);
  setText($('counters-count'), `${count(found.total)} in all`);
  setText($('counters-note'), found.note);
  setText($('counters-empty'), prefix ? 'No counter has a key that begins so.' : 'No counters: nothing was counted yet, or all of it has come back.');
  $('counters-empty').hidden = found.counters.length > 0;
  next = found.next;
  $('counters-next').disabled = next === null;
  $('counters-first').disabled = cursor === '0';
}

async function page() {
  const answer = await ask(`api/counters?limit=${pageSize}&cursor=${cursor}`);
  return { counters: answer.counters, total: answer.total, next: answer.next_cursor, note: '' };
}

// The node lists counters in no order and has no index by key, so a search reads on until a page is full.
async function search(prefix, isWanted) {
  const counters = [];
  let [from, seen, total] = [cursor, 0, 0];
  do {
    const answer = await ask(`api/counters?limit=${searchPage}&cursor=${from}`);
    seen += answer.counters.length;
    total = answer.total;
    from = answer.next_cursor;
    counters.push(...answer.counters.filter(c => c.key.startsWith(prefix)));
  } while (from !== null && counters.length < pageSize && seen < mostSearched && isWanted());
  return { counters, total, next: from, note: from === null ? '' : `looked at ${count(seen)}; Next page looks on` };
}

function counterRow(counter) {
  const [used, left, reset] = [el('span'), el('td', 'num wide'), el('td', 'num wide')];
  const [bar, rest] = [el('i'), el('i')];
  rest.hidden = true;
  const full = el('span', 'used', el('span', 'bars', bar, rest), used);
  const update = c => {
    setText(used, `${count(c.count)} of ${count(c.limit)}`);
    setText(left, count(c.remaining));
    left.classList.toggle('hot', c.remaining === 0);
    setText(reset, wait(c.reset_ms));
    bar.style.width = `${Math.min(100, (100 * c.count) / (c.limit || 1))}%`;
    full.title = percent(c.count / (c.limit || 1));
  };
  const rule = el('td', 'wide', counter.rule);
  rule.title = `domain ${counter.domain}`;
  return {
    row: el('tr', '', keyCell(counter.key, counter.rule), rule, el('td', 'wide', counter.algorithm), el('td', 'num', full), left, reset, el('td', '', resetButton(counter))),
    update,
  };
}

function resetButton({ id, key, rule }) {
  return button('Reset', `Reset the counter of ${key}`, async () => {
    if (!await confirmed(`Forget what was counted for “${key}” under rule ${rule}? It may use its whole limit again at once.`, 'Reset')) return;
    try {
      await ask(`api/counters?id=${id}`, 'DELETE');
      notify(`The counter of “${key}” was reset.`);
    } catch (error) {
      notify(error.message);
    }
    await Promise.allSettled([refreshBlocks(), refreshCounters()]);
  });
}

function turnTo(to) {
  cursor = to;
  refreshCounters().catch(error => notify(error.message));
}

let typing;
$('counters-prefix').addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(() => turnTo('0'), 250);
});
$('counters-first').addEventListener('click', () => turnTo('0'));
$('counters-next').addEventListener('click', () => next !== null && turnTo(next));
