import { ask } from './api.js';
import { $, el, keyCell, setRows, setText } from './dom.js';
import { duration, wait } from './format.js';

/** Shows the nodes that share counters, and tells what the node of this page counts in. A node that shares nothing is alone, and not listed. */
export async function refreshNodes() {
  const { nodes, as_of: asOf, note } = await ask('api/nodes');
  const here = nodes.find(n => n.id === $('node-id').textContent) ?? nodes[0];
  const isShared = here?.engine !== 'memory';
  for (const id of ['nodes', 'nodes-link']) $(id).hidden = !isShared;
  if (!isShared) return here?.engine;
  // Ages go by Redis' clock alone, so clocks need not agree.
  const now = Date.parse(asOf ?? here.last_seen);
  for (const node of nodes) node.now = now;
  setRows($('nodes-rows'), nodes, n => `${n.id} ${n.address} ${n.started_at}`, nodeRow);
  setText($('nodes-count'), `${nodes.length} ${nodes.length === 1 ? 'node shares' : 'nodes share'} counters`);
  setText($('nodes-note'), note ?? '');
  $('nodes-note').hidden = !note;
  return here.engine;
}

function nodeRow(node) {
  const [state, seen, age] = [el('span', 'pill'), el('td', 'num'), el('td', 'num wide')];
  const update = n => {
    state.dataset.state = n.state;
    setText(state, n.state);
    setText(seen, ago(n.now, n.last_seen));
    setText(age, duration(Math.max(1000, Math.floor((n.now - Date.parse(n.started_at)) / 1000) * 1000)));
  };
  const address = keyCell(node.address);
  address.classList.add('wide');
  return { row: el('tr', '', keyCell(node.id, node.address), el('td', '', state), address, el('td', 'wide', node.version), age, seen), update };
}

const ago = (now, then) => (now - Date.parse(then) < 1000 ? 'now' : `${wait(now - Date.parse(then))} ago`);
