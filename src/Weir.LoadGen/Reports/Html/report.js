// Shows the figures under the pointer. Everything else on the page is there without a script.
for (const figure of document.querySelectorAll("figure[data-tips]")) {
  const tips = JSON.parse(figure.dataset.tips);
  const svg = figure.querySelector("svg");
  const cursor = svg.querySelector(".cursor");
  const tip = figure.appendChild(Object.assign(document.createElement("div"), { className: "tip" }));
  const hide = () => { tip.style.visibility = cursor.style.visibility = "hidden"; };
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("pointermove", event => {
    const box = svg.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
    const nearest = tips.reduce((a, b) => Math.abs(b[0] - x) < Math.abs(a[0] - x) ? b : a);
    cursor.setAttribute("x1", nearest[0]);
    cursor.setAttribute("x2", nearest[0]);
    tip.textContent = nearest[1];
    tip.style.visibility = cursor.style.visibility = "visible";
    const left = nearest[0] / svg.viewBox.baseVal.width * box.width;
    tip.style.left = `${left + tip.offsetWidth + 16 > box.width ? left - tip.offsetWidth - 12 : left + 12}px`;
    tip.style.top = `${svg.offsetTop + 8}px`;
  });
}
