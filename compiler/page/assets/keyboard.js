// Keys: arrows go from box to box, Enter folds and unfolds, / searches, Escape leaves.

const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

// What counts of a box for the arrow keys: of a frame, its title.
function spot({ node, x, y }) {
  return { left: x, right: x + node.width, top: y, bottom: y + (node.open ? node.head : node.height) };
}

// How far two spans are apart; 0 where they overlap.
const between = (from, to, first, last) => Math.max(0, first - to, from - last);

// The next box in a direction: near, and more ahead than aside.
function nextBox(from, [dx, dy]) {
  const start = spot(from);
  let best = null;
  let least = Infinity;
  for (const one of drawn.values()) {
    if (one === from || (one.node.port && !one.node.label)) continue;
    const at = spot(one);
    const ahead = dy > 0 ? at.top - start.top : dy < 0 ? start.top - at.top : dx > 0 ? at.left - start.left : start.left - at.left;
    if (ahead < 4) continue;
    const across = between(start.left, start.right, at.left, at.right);
    const along = between(start.top, start.bottom, at.top, at.bottom);
    const middle = Math.abs(dy ? (start.left + start.right - at.left - at.right) / 2 : (start.top + start.bottom - at.top - at.bottom) / 2);
    const cost = ahead + 2 * (dy ? across : along) + middle / 50;
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
  if (!found || pointers.size || view.selected === box.dataset.key) return;
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
