// Everything that reaches the page goes through textContent: keys and rule names come from strangers.

import { visible } from './format.js';

export const $ = id => document.getElementById(id);

/** Makes an element. Strings among the children become text. */
export function el(tag, className = '', ...children) {
  const node = document.createElement(tag);
  node.className = className;
  node.append(...children);
  return node;
}

export function setText(node, text) {
  const value = String(text);
  if (node.textContent !== value) node.textContent = value;
}

export function setData(node, name, value) {
  if (value == null || value === false) delete node.dataset[name];
  else node.dataset[name] = value === true ? '' : value;
}

/** A cell for a key or a name: shortened by the style sheet, whole in its tooltip. On narrow screens what is below it stands there, not in its own column. */
export function keyCell(key, below = '') {
  const cell = el('td', 'key', visible(key));
  cell.title = visible(key);
  if (below) cell.dataset.below = below;
  return cell;
}

/** A word beside a name, with its meaning as a tooltip. */
export function badge(kind, why) {
  const node = el('span', 'badge', kind);
  node.dataset.kind = kind;
  node.title = why;
  return node;
}

export function button(text, label, onClick) {
  const node = el('button', '', text);
  node.type = 'button';
  node.setAttribute('aria-label', label);
  node.addEventListener('click', onClick);
  return node;
}

const shown = new WeakMap();

/**
 * Makes the rows of a table body those of the items. A row stays the same element as long as its item is there, so that focus and selection survive a refresh.
 * `make(item)` returns a row and a function that updates it.
 */
export function setRows(body, items, keyOf, make) {
  const old = shown.get(body) ?? new Map();
  const now = new Map();
  let at = body.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    if (now.has(key)) continue;
    const entry = old.get(key) ?? make(item);
    now.set(key, entry);
    entry.update(item);
    if (entry.row === at) at = at.nextElementSibling;
    else body.insertBefore(entry.row, at);
  }
  for (const [key, entry] of old) if (!now.has(key)) entry.row.remove();
  shown.set(body, now);
}

let noticeTimer;

/** Says something for some seconds, also to screen readers. */
export function notify(text) {
  const notice = $('notice');
  notice.hidden = false;
  notice.textContent = visible(text);
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => { notice.hidden = true; }, 6000);
}

/** Asks before something that cannot be undone. */
export function confirmed(text, yes) {
  const dialog = $('confirm');
  $('confirm-text').textContent = visible(text);
  $('confirm-yes').textContent = yes;
  return new Promise(resolve => {
    $('confirm-yes').onclick = () => dialog.close('yes');
    $('confirm-no').onclick = () => dialog.close('no');
    dialog.onclose = () => resolve(dialog.returnValue === 'yes');
    dialog.returnValue = 'no';
    dialog.showModal();
  });
}

const banners = new Map();

/** Shows a banner, or takes it away when the text is empty. */
export function banner(id, kind, text) {
  let node = banners.get(id);
  if (!text) {
    node?.remove();
    banners.delete(id);
    return;
  }
  if (!node) {
    node = el('p', 'banner');
    banners.set(id, node);
    $('banners').append(node);
  }
  node.dataset.kind = kind;
  setText(node, text);
}
