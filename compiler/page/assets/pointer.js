// Mouse, pen and fingers: choose, fold, move and zoom.

const pointers = new Map();
let dragged = false;

function pathUnder(event) {
  const box = event.target.closest ? event.target.closest(".box") : null;
  return box ? drawn.get(box.dataset.key) : undefined;
}

const span = () => {
  const [a, b] = [...pointers.values()];
  return { distance: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
};

canvas.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  if (pointers.size === 1) dragged = false;
});

canvas.addEventListener("pointermove", (event) => {
  const last = pointers.get(event.pointerId);
  if (!last) return;
  const before = pointers.size === 2 ? span() : null;
  const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
  if (!dragged && Math.hypot(dx, dy) < 4) return;
  if (!dragged) canvas.setPointerCapture(event.pointerId);
  dragged = true;
  canvas.classList.add("dragging");
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  if (before) {
    const after = span();
    const { left, top } = canvas.getBoundingClientRect();
    zoom(after.distance / (before.distance || 1), after.x - left, after.y - top);
  } else if (pointers.size === 1) {
    view.x += dx;
    view.y += dy;
    place();
  }
});

for (const name of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(name, (event) => {
    pointers.delete(event.pointerId);
    canvas.classList.remove("dragging");
  });
}

canvas.addEventListener("click", (event) => {
  if (dragged) return;
  const found = pathUnder(event);
  if (!found) select(null);
  else if (event.target.closest(".fold") || found.node.run) toggle(found.node.path);
  else {
    select(found.node.path, { focus: true });
    openInEditor(found.node.box.at);
  }
});

canvas.addEventListener("dblclick", (event) => {
  const found = pathUnder(event);
  if (found && !event.target.closest(".fold")) toggle(found.node.path);
});

canvas.addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 16 : 1;
    if (event.ctrlKey || event.metaKey) {
      const { left, top } = canvas.getBoundingClientRect();
      zoom(Math.exp((-event.deltaY * unit) / 220), event.clientX - left, event.clientY - top);
    } else {
      view.x -= (event.shiftKey ? event.deltaY : event.deltaX) * unit;
      view.y -= (event.shiftKey ? 0 : event.deltaY) * unit;
      place();
    }
  },
  { passive: false },
);

canvas.addEventListener("pointerover", (event) => {
  if (pointers.size) return;
  const found = pathUnder(event);
  if (found) showDetails(found.node.path, found.node);
  else showDetails(selectedPath());
});
canvas.addEventListener("pointerleave", () => showDetails(selectedPath()));

const selectedPath = () => {
  const found = drawn.get(view.selected);
  return found ? found.node.path : null;
};
