import { $, setText } from './dom.js';
import { clock, count, rate } from './format.js';

const [shortest, longest] = [60, 300];
const margin = { left: 44, right: 8, top: 8, bottom: 22 };
const space = 'http://www.w3.org/2000/svg';

function shape(tag, attributes, text) {
  const node = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

/** Three to five grid lines at round numbers, the topmost at or above the largest value. */
function scaleOf(largest) {
  const rough = Math.max(largest, 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(f => f * power).find(s => s >= rough);
  return { step, top: Math.ceil(Math.max(largest, 1) / step) * step };
}

/** Allowed and blocked requests per second, stacked, over the last minutes. Pointer and arrow keys read single points. */
export class Chart {
  #points = [];
  #now = 0;
  #span = shortest;
  #picked = null;
  #host;

  constructor(host) {
    this.#host = host;
    new ResizeObserver(() => this.#draw()).observe(host);
    host.addEventListener('pointermove', e => this.#pick(this.#timeAt(e.clientX)));
    host.addEventListener('pointerleave', () => this.#pick(null));
    host.addEventListener('blur', () => this.#pick(null));
    host.addEventListener('keydown', e => this.#step(e));
  }

  show(points, now) {
    this.#points = points;
    this.#now = now;
    this.#span = Math.min(longest, Math.max(shortest, now - (points[0]?.at ?? now)));
    this.#draw();
  }

  #timeAt(clientX) {
    const box = this.#host.getBoundingClientRect();
    const share = (clientX - box.left - margin.left) / (box.width - margin.left - margin.right);
    return this.#now - this.#span * (1 - share);
  }

  #pick(time) {
    this.#picked = time;
    this.#draw();
  }

  #step(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || this.#points.length === 0) return;
    event.preventDefault();
    const at = this.#points.indexOf(this.#pickedPoint());
    const next = at < 0 ? this.#points.length - 1 : Math.min(this.#points.length - 1, Math.max(0, at + by));
    this.#pick(this.#points[next].at);
  }

  #pickedPoint() {
    if (this.#picked === null) return null;
    const distance = p => Math.abs(p.at - this.#picked);
    return this.#points.reduce((best, p) => (best && distance(best) <= distance(p) ? best : p), null);
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.#host;
    if (width === 0) return;
    const { step, top } = scaleOf(this.#points.reduce((most, p) => Math.max(most, p.allowed + p.blocked), 0));
    const x = at => margin.left + (width - margin.left - margin.right) * (1 - (this.#now - at) / this.#span);
    const y = value => height - margin.bottom - (height - margin.top - margin.bottom) * (value / top);
    const svg = shape('svg', { viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' });
    for (let value = 0; value <= top + step / 2; value += step) {
      svg.append(shape('line', { class: 'grid', x1: margin.left, x2: width - margin.right, y1: y(value), y2: y(value) }));
      svg.append(shape('text', { x: margin.left - 8, y: y(value) + 4, 'text-anchor': 'end' }, value < 10 ? String(Number(value.toFixed(1))) : count(value)));
    }
    const tick = this.#span > 150 ? 60 : this.#span > 75 ? 30 : 15;
    for (let ago = 0; ago <= this.#span; ago += tick) {
      const label = ago === 0 ? 'now' : ago % 60 === 0 ? `−${ago / 60} min` : `−${ago} s`;
      svg.append(shape('text', { x: x(this.#now - ago), y: height - 5, 'text-anchor': ago === 0 ? 'end' : 'middle' }, label));
    }
    for (const run of this.#runs()) drawRun(svg, run, x, y);
    const picked = this.#pickedPoint();
    if (picked) svg.append(shape('line', { class: 'cross', x1: x(picked.at), x2: x(picked.at), y1: margin.top, y2: height - margin.bottom }));
    this.#host.replaceChildren(svg);
    this.#tell(picked ?? this.#points.at(-1), picked);
  }

  /** The points in pieces without gaps, and without what is too old to show. */
  #runs() {
    const runs = [];
    for (const point of this.#points) {
      if (point.at < this.#now - this.#span) continue;
      if (point.gap || runs.length === 0) runs.push([]);
      runs.at(-1).push(point);
    }
    return runs.filter(run => run.length > 0);
  }

  #tell(point, picked) {
    setText($('l-allowed'), point ? rate(point.allowed) : '–');
    setText($('l-blocked'), point ? rate(point.blocked) : '–');
    setText($('l-when'), picked ? clock(new Date(Date.now() - (performance.now() / 1000 - point.at) * 1000)) : 'now');
    if (!point) return;
    const when = picked ? ` at ${$('l-when').textContent}` : '';
    this.#host.setAttribute('aria-label', `Requests per second${when || ', now'}: ${rate(point.allowed)} allowed, ${rate(point.blocked)} blocked. Arrow keys read other moments.`);
  }
}

function drawRun(svg, run, x, y) {
  const line = value => run.map((p, i) => `${i ? 'L' : 'M'}${x(p.at).toFixed(1)} ${y(value(p)).toFixed(1)}`).join('');
  const back = value => [...run].reverse().map(p => `L${x(p.at).toFixed(1)} ${y(value(p)).toFixed(1)}`).join('');
  const [zero, allowed, both] = [() => 0, p => p.allowed, p => p.allowed + p.blocked];
  svg.append(shape('path', { class: 'area-allowed', d: `${line(allowed)}${back(zero)}Z` }));
  if (run.some(p => p.blocked > 0)) {
    svg.append(shape('path', { class: 'area-blocked', d: `${line(both)}${back(allowed)}Z` }));
    svg.append(shape('path', { class: 'line-blocked', d: line(both) }));
  }
  svg.append(shape('path', { class: 'line-allowed', d: line(allowed) }));
}
