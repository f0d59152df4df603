import { ask, askJson } from './api.js';
import { $, badge, button, confirmed, el, keyCell, notify, setRows, setText } from './dom.js';
import { limit } from './format.js';

let shadows = new Set();

/** Whether a rule only watches: what it says is blocked goes on all the same. */
export const isShadow = (domain, rule) => shadows.has(JSON.stringify([domain, rule]));

/** Shows the rules in force, the default first, and the keys that have limits of their own. */
export async function refreshLimits() {
  const { default: standard, rules, overrides } = await ask('api/limits');
  shadows = new Set(rules.filter(r => r.shadow).map(r => JSON.stringify([r.domain, r.name])));
  const all = [{ ...standard, path: 'any other key' }, ...rules];
  setRows($('limits-rows'), all, r => JSON.stringify(r), ruleRow);
  setText($('limits-count'), rules.length === 0 ? 'only the default rule' : `default and ${rules.length} more`);
  setRows($('overrides-rows'), overrides, o => JSON.stringify(o), overrideRow);
  $('overrides-empty').hidden = overrides.length > 0;
}

function ruleRow(rule) {
  const name = keyCell(rule.name, rule.path);
  if (rule.shadow) name.append(badge('shadow', 'counts, but never refuses'));
  if (rule.quota) name.append(badge('quota', 'refuses only when every quota that the request meets refuses'));
  const path = keyCell(rule.path);
  path.classList.add('wide');
  const row = el('tr', '', name, el('td', 'wide', rule.domain), path, el('td', '', limit(rule)),
    el('td', 'wide', rule.unlimited ? '–' : rule.algorithm), el('td', 'wide', rule.failure));
  return { row, update() {} };
}

function overrideRow(override) {
  const lift = button('Lift', `Lift the limit of ${override.key}`, async () => {
    if (!await confirmed(`Lift the limit of “${override.key}”? The rules apply to it again at once.`, 'Lift')) return;
    await change(() => ask(pathOf(override.key), 'DELETE'), `The limit of “${override.key}” was lifted.`);
  });
  return { row: el('tr', '', keyCell(override.key), el('td', '', limit(override)), el('td', 'wide', override.algorithm), el('td', '', lift)), update() {} };
}

const pathOf = key => `api/limits/${encodeURIComponent(key)}`;

async function change(act, done) {
  try {
    await act();
    notify(done);
    await refreshLimits();
    return true;
  } catch (error) {
    notify(error.message);
    return false;
  }
}

$('override-form').addEventListener('submit', async event => {
  event.preventDefault();
  const key = $('o-key').value;
  const wanted = { limit: Number($('o-limit').value) };
  if ($('o-window').value) wanted.window_ms = Number($('o-window').value);
  if ($('o-algorithm').value) wanted.algorithm = $('o-algorithm').value;
  if ($('o-burst').value) wanted.burst = Number($('o-burst').value);
  if (await change(() => askJson(pathOf(key), 'PUT', wanted), `“${key}” has a limit of its own now.`)) event.target.reset();
});
