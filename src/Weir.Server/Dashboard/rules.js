import { ask, askJson } from './api.js';
import { $, banner, button, confirmed, el, notify, setText } from './dom.js';
import { instant, limit } from './format.js';
import { refreshLimits } from './limits.js';

const example = `domain: default
descriptors:
  - key: key
    value: "batch-*"
    rate_limit: { name: batch, limit: 20, window: 1m }
`;

const text = $('rules-text');
let files = [];
let warnings = [];
let shown = null;

const isEdited = () => text.value !== (files[$('rules-file').selectedIndex]?.text ?? '');

/** Shows the rules in force. What somebody is editing stays as it is. */
export async function refreshRules() {
  const rules = await ask('api/rules');
  banner('rules', 'bad', rules.last_error ? `The rules could not be reloaded; version ${rules.version} stays in force. ${rules.last_error}` : '');
  setText($('rules-count'), `version ${rules.version}, ${rules.source === 'none' ? 'none loaded' : `from ${rules.source}, ${instant(new Date(rules.loaded_at))}`}`);
  // A node that started anew counts versions from one again.
  const current = `${rules.version} ${rules.loaded_at}`;
  if (current === shown) return;
  const keep = shown !== null && isEdited();
  files = rules.files;
  warnings = rules.warnings;
  shown = current;
  if (keep) {
    note('', `Version ${rules.version} has come into force meanwhile. Undo edits shows it.`);
    edited();
    return;
  }
  showFiles();
}

function showFiles() {
  const picked = Math.max(0, $('rules-file').selectedIndex);
  $('rules-file').replaceChildren(...files.map(file => new Option(file.path)));
  $('rules-file').selectedIndex = Math.min(picked, files.length - 1);
  $('rules-file-label').hidden = files.length < 2;
  text.placeholder = example;
  showText();
}

function showText() {
  text.value = files[$('rules-file').selectedIndex]?.text ?? '';
  showProblems(warnings);
  note(warnings.length ? 'warn' : '', warnings.length ? '⚠ In force, but some of it has no effect.' : '');
  edited();
}

function edited() {
  $('rules-revert').disabled = $('rules-apply').disabled = !isEdited();
}

function note(kind, message) {
  const node = $('rules-note');
  node.dataset.kind = kind;
  setText(node, message);
}

/** Each problem is a button that goes to its line. */
function showProblems(problems) {
  $('rules-problems').replaceChildren(...problems.map(problem => el('li', '', button(problem, problem, () => goTo(problem)))));
}

function goTo(problem) {
  const [, line, column] = /:(\d+):(\d+):/.exec(problem) ?? [];
  if (!line) return;
  const lines = text.value.split('\n');
  const start = lines.slice(0, line - 1).reduce((sum, l) => sum + l.length + 1, 0) + Math.max(0, column - 1);
  text.focus();
  text.setSelectionRange(start, start + Math.max(1, (lines[line - 1]?.length ?? 0) - column + 1));
  text.scrollTop = ((line - 4) * text.scrollHeight) / lines.length;
}

async function validate() {
  try {
    const answer = await ask('api/rules/validate', 'POST', text.value, 'application/yaml');
    showProblems(answer.problems ?? answer.warnings);
    if (answer.valid && answer.warnings.length) note('warn', '⚠ Valid, but some of it has no effect.');
    else if (answer.valid) note('ok', `✓ Valid: ${answer.rules} ${answer.rules === 1 ? 'rule' : 'rules'}.`);
    else note('bad', `✗ ${answer.problems.length} ${answer.problems.length === 1 ? 'problem' : 'problems'}. Choose one to go to its line.`);
  } catch (error) {
    note('bad', error.message);
  }
}

async function apply() {
  const others = files.length > 1 ? `the rules of all ${files.length} files` : 'all rules';
  if (!await confirmed(`Put this text in force in place of ${others}? It is held in memory only: the next change of the files wins, and a restart forgets it.`, 'Put in force')) return;
  try {
    const answer = await ask('api/rules', 'PUT', text.value, 'application/yaml');
    shown = null;
    files = [{ text: text.value }];
    notify(`Version ${answer.version} is in force, with ${answer.rules} ${answer.rules === 1 ? 'rule' : 'rules'}.`);
    await Promise.all([refreshRules(), refreshLimits()]);
  } catch (error) {
    showProblems(error.problems ?? []);
    note('bad', error.message);
  }
}

/** Reads one key=value per line. */
function entries() {
  return $('explain-entries').value.split('\n').filter(line => line.trim()).map(line => {
    const at = line.indexOf('=');
    return at < 0 ? { key: line.trim(), value: '' } : { key: line.slice(0, at).trim(), value: line.slice(at + 1).trim() };
  });
}

async function explain(event) {
  event.preventDefault();
  const body = $('explain-kind').value === 'key' ? { key: $('explain-key').value } : { domain: $('explain-domain').value, entries: entries() };
  $('explain-result').hidden = false;
  try {
    const answer = await askJson('api/explain', 'POST', body);
    setText($('explain-rule'), answer.rule ? `Rule ${answer.rule.name}: ${limit(answer.rule)}, ${answer.rule.algorithm}` : 'No rule applies.');
    $('explain-steps').replaceChildren(...answer.steps.map(step => el('li', '', step)));
  } catch (error) {
    setText($('explain-rule'), error.message);
    $('explain-steps').replaceChildren();
  }
}

text.addEventListener('input', edited);
$('rules-file').addEventListener('change', showText);
$('rules-validate').addEventListener('click', validate);
$('rules-revert').addEventListener('click', showFiles);
$('rules-apply').addEventListener('click', apply);
$('explain-form').addEventListener('submit', explain);
$('explain-kind').addEventListener('change', () => {
  for (const field of document.querySelectorAll('#explain-form [data-kind]')) field.hidden = field.dataset.kind !== $('explain-kind').value;
});
