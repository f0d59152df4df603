// The limit as water behind a weir: what is left stands in the pool, each request that passes spills over, and a refusal turns the weir red.

const $ = id => document.getElementById(id);
const topY = 14, bottomY = 150;
let state = null;

export function showAnswer({ limit, status }) {
  if (!limit || limit.most === null) return;
  const now = performance.now();
  state = {
    ...limit,
    refused: status === 429,
    // When the pool is full again, if nothing more is taken; and when the same request would pass.
    fullAt: now + (limit.resetSeconds ?? 0) * 1000,
    passesAt: status === 429 && limit.retryAfter !== null ? now + limit.retryAfter * 1000 : null,
  };
  if (status !== 429) spill();
  draw();
}

function spill() {
  const path = document.querySelector(".spill");
  path.classList.remove("passing");
  path.getBoundingClientRect(); // lets the animation begin again
  path.classList.add("passing");
}

function draw() {
  if (!state) return;
  const now = performance.now();
  const full = now >= state.fullAt;
  const held = state.refused && state.passesAt !== null && now < state.passesAt;
  const left = full ? state.most : state.remaining;
  $("limit").dataset.state = held ? "refused" : "open";
  $("limit-name").textContent = state.windowSeconds ? `${state.name} · ${state.most} per ${span(state.windowSeconds)}` : state.name;
  $("remaining").textContent = left;
  $("of").textContent = `of ${state.most} left`;
  $("water").style.transform = `translateY(${bottomY - (bottomY - topY) * Math.min(1, state.most ? left / state.most : 0)}px)`;
  const seconds = at => Math.max(1, Math.ceil((at - now) / 1000));
  $("limit-text").textContent = held ? `Held back. The next one passes in ${seconds(state.passesAt)} s.`
    : full ? "Everything is there."
    : left === 0 ? "The next one will be held back."
    : `All back in ${seconds(state.fullAt)} s, if nothing more is taken.`;
}

const span = s => s % 3600 === 0 ? `${s / 3600} h` : s % 60 === 0 ? (s === 60 ? "minute" : `${s / 60} min`) : s === 1 ? "second" : `${s} s`;

setInterval(draw, 250);
