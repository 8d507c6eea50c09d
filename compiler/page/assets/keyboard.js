// Keys: arrows go from box to box, Enter folds and unfolds, / searches, Escape leaves.

const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

// Where a box is for the arrow keys: a frame is where its title is.
function spot({ node, x, y }) {
  return node.open ? { x: x + Math.min(node.width, 120) / 2, y: y + node.head / 2 } : { x: x + node.width / 2, y: y + node.height / 2 };
}

// The next box in a direction: near, and more ahead than aside.
function nextBox(from, [dx, dy]) {
  const start = spot(from);
  let best = null;
  let least = Infinity;
  for (const one of drawn.values()) {
    if (one === from || (one.node.port && !one.node.label)) continue;
    const at = spot(one);
    const ahead = (at.x - start.x) * dx + (at.y - start.y) * dy;
    const aside = Math.abs((at.x - start.x) * dy) + Math.abs((at.y - start.y) * dx);
    if (ahead < 4) continue;
    const cost = ahead + 2 * aside;
    if (cost < least) [best, least] = [one, cost];
  }
  return best;
}

canvas.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const box = event.target.closest(".box");
  const from = box && drawn.get(box.dataset.key);
  if (ARROWS[event.key]) {
    const next = from ? nextBox(from, ARROWS[event.key]) : drawn.values().next().value;
    if (next) {
      bringIntoView(keyOf(next.node.path));
      select(next.node.path, { focus: true });
    }
  } else if ((event.key === "Enter" || event.key === " ") && from) toggle(from.node.path);
  else return;
  event.preventDefault();
});

canvas.addEventListener("focusin", (event) => {
  const box = event.target.closest(".box");
  const found = box && drawn.get(box.dataset.key);
  if (!found || view.selected === box.dataset.key) return;
  bringIntoView(box.dataset.key);
  select(found.node.path);
});

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.target.matches("input, select, textarea")) return;
  if (event.key === "/") search.focus();
  else if (event.key === "+" || event.key === "=") zoom(1.25);
  else if (event.key === "-") zoom(0.8);
  else if (event.key === "0") fit();
  else if (event.key === "Escape") select(null);
  else return;
  event.preventDefault();
});
