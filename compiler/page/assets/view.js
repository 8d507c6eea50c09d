// What is seen of the picture: place and scale, the box that is chosen, folding.

const canvas = document.getElementById("canvas");
const view = { x: 0, y: 0, scale: 1, width: 0, height: 0, selected: null };
const MOST = 1500; // boxes that "unfold all" draws

function place() {
  world.setAttribute("transform", `translate(${round(view.x)} ${round(view.y)}) scale(${Math.round(view.scale * 1e4) / 1e4})`);
}

function redraw() {
  const { width, height } = drawAll();
  Object.assign(view, { width, height });
  place();
}

function fit(whole = true) {
  const { clientWidth, clientHeight } = canvas;
  const margin = 28;
  const scale = Math.min((clientWidth - 2 * margin) / view.width, (clientHeight - 2 * margin) / view.height, 1.25);
  // At first, large pictures are shown from the top, at a size that can be read.
  const readable = Math.min(1, Math.max(scale, Math.min((clientWidth - 2 * margin) / view.width, 1), 0.6));
  view.scale = whole ? Math.max(scale, 0.02) : Math.max(readable, Math.min(scale, 1));
  view.x = (clientWidth - view.width * view.scale) / 2;
  view.y = Math.max(margin, (clientHeight - view.height * view.scale) / 2);
  if (view.width * view.scale > clientWidth && !whole) view.x = margin;
  place();
}

function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
  const scale = Math.min(4, Math.max(0.02, view.scale * factor));
  view.x = x - ((x - view.x) * scale) / view.scale;
  view.y = y - ((y - view.y) * scale) / view.scale;
  view.scale = scale;
  place();
}

// Moves the picture so that a box is in it.
function bringIntoView(key) {
  const found = drawn.get(key);
  if (!found) return;
  const { node } = found;
  const height = node.open ? node.head : node.height;
  const [x, y] = [view.x + found.x * view.scale, view.y + found.y * view.scale];
  const [w, h] = [node.width * view.scale, height * view.scale];
  const { clientWidth, clientHeight } = canvas;
  if (view.scale < 0.35) {
    view.scale = 0.8;
    view.x = clientWidth / 2 - (found.x + node.width / 2) * view.scale;
    view.y = clientHeight / 3 - found.y * view.scale;
  } else {
    if (x < 20 || x + w > clientWidth - 20) view.x += clientWidth / 2 - x - Math.min(w, clientWidth - 60) / 2;
    if (y < 20 || y + h > clientHeight - 20) view.y += clientHeight / 3 - y;
  }
  place();
}

// Folds or unfolds a box, which stays where it is on the screen.
function toggle(path) {
  const key = keyOf(path);
  const found = drawn.get(key);
  const node = found && found.node;
  if (node && node.run) revealRun(path.slice(0, -1), node.run);
  else if (opens(boxAt(path)) && !(path.length === 1 && model.data.networks.length === 1)) setOpen(path, !isOpen(path));
  else return;
  forgetLayout(path);
  const before = found && { x: found.x, y: found.y };
  redraw();
  const after = drawn.get(key);
  if (before && after) {
    view.x += (before.x - after.x) * view.scale;
    view.y += (before.y - after.y) * view.scale;
    place();
  }
}

function foldAll() {
  sayFolded(0);
  model.open.clear();
  model.revealed.clear();
  layouts.clear();
  redraw();
  fit(false);
}

// Outer blocks first, as far as a picture can hold them; a notice says that some stay folded.
function unfoldAll() {
  let waiting = model.data.networks.map((_, n) => [n]);
  let boxes = 0;
  let folded = 0;
  while (waiting.length && boxes < MOST) {
    const inner = [];
    for (const path of waiting) {
      const scope = scopeAt(path);
      const shown = shownIn(path, scope);
      if (boxes + shown.length > MOST) {
        folded += 1;
        continue;
      }
      boxes += shown.length;
      setOpen(path, true);
      for (const item of shown) if (!Array.isArray(item) && opens(scope.boxes[item])) inner.push([...path, nameOf(scope.boxes[item])]);
    }
    waiting = inner;
  }
  sayFolded(folded + waiting.length);
  layouts.clear();
  redraw();
  fit(false);
}

function sayFolded(count) {
  const notice = document.getElementById("notice");
  const own = notice.dataset.folded !== undefined;
  if (!count && !own) return; // it is of something else
  delete notice.dataset.folded;
  if (count) notice.dataset.folded = "";
  notice.hidden = !count;
  notice.textContent = count ? `A picture holds ${MOST.toLocaleString("en")} boxes: ${count.toLocaleString("en")} more blocks stay folded.` : "";
}

function select(path, { focus = false, scroll = true } = {}) {
  view.selected = path ? keyOf(path) : null;
  showSelection();
  const box = path && boxAt(path);
  showDetails(box ? path : null);
  markLines(box && box.at, scroll);
  if (!path) return;
  const found = drawn.get(view.selected);
  if (found) {
    for (const { element } of drawn.values()) element.setAttribute("tabindex", "-1");
    found.element.setAttribute("tabindex", "0");
    if (focus) found.element.focus({ preventScroll: true });
  }
  rememberPlace(path);
}

function showSelection() {
  for (const old of world.querySelectorAll(".selected, .lit")) old.classList.remove("selected", "lit");
  const found = drawn.get(view.selected);
  for (const { element } of drawn.values()) if (element.hasAttribute("aria-selected")) element.removeAttribute("aria-selected");
  if (!found) return;
  found.element.classList.add("selected");
  found.element.setAttribute("aria-selected", "true");
  for (const edge of found.edges) edge.classList.add("lit");
}

// Opens all around a box, and goes there.
function goTo(path, options = {}) {
  reveal(path);
  layouts.clear();
  redraw();
  bringIntoView(keyOf(path));
  select(path, options);
}

// The address names the chosen layer: a link to it.
function rememberPlace(path) {
  try {
    history.replaceState(null, "", "#" + path.map(encodeURIComponent).join("/"));
  } catch {
    return; // a page inside of another may have no address
  }
}

function placeInAddress() {
  const path = location.hash.slice(1).split("/").filter(Boolean);
  if (!path.length) return null;
  try {
    const [number, ...names] = path.map(decodeURIComponent);
    const found = [Number(number), ...names];
    return boxAt(found) ? found : null;
  } catch {
    return null;
  }
}
