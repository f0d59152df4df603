// Which instance served how many of this page's requests.

const $ = id => document.getElementById(id);
const counts = new Map();

/** A colour that stays with an instance: they are given out in the order in which instances appear. */
export function colourOf(name) {
  if (!counts.has(name)) counts.set(name, 0);
  return `c${[...counts.keys()].indexOf(name) % 8}`;
}

export const shortName = name => /^[0-9a-f]{12,}$/.test(name) ? name.slice(0, 12) : name;

export function countAnswer({ servedBy }) {
  if (!servedBy) return;
  colourOf(servedBy);
  counts.set(servedBy, counts.get(servedBy) + 1);
  draw();
}

function draw() {
  const total = [...counts.values()].reduce((sum, n) => sum + n, 0);
  const most = Math.max(1, ...counts.values());
  $("served-empty").hidden = total > 0;
  $("served-total").textContent = `${total} ${total === 1 ? "request" : "requests"}`;
  $("served").replaceChildren(...[...counts].filter(([, n]) => n > 0).map(([name, n]) => {
    const item = document.createElement("li");
    item.className = colourOf(name);
    item.innerHTML = `<span class="dot"></span><span class="name mono"></span><b></b><span class="track"><span class="fill"></span></span>`;
    item.querySelector(".name").textContent = shortName(name);
    item.querySelector("b").textContent = n;
    item.querySelector(".fill").style.width = `${100 * n / most}%`;
    return item;
  }));
}
