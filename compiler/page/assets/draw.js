// The layout as SVG. Elements of boxes are kept from one drawing to the next, by their keys, so that focus stays.

const world = document.getElementById("world");
const SVG = "http://www.w3.org/2000/svg";
const drawn = new Map();

function make(tag, attributes = {}, parent = null) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (parent) parent.append(element);
  return element;
}

// Draws everything anew; returns the size of the picture.
function drawAll() {
  const all = layoutAll();
  const before = new Map(drawn);
  const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.key : undefined;
  drawn.clear();
  world.replaceChildren();
  if (all.inner) drawScope(all.inner, 0, 0, 1);
  all.nodes.forEach((node) => drawNode(node, 0, 0, 1));
  const kept = focused && drawn.get(focused);
  const first = drawn.values().next().value;
  const roving = kept || drawn.get(view.selected) || first;
  if (roving) roving.element.setAttribute("tabindex", "0");
  if (kept) kept.element.focus({ preventScroll: true });
  showSelection();
  if (before.size) animateFrom(before);
  return all;
}

function drawScope(layout, x, y, level) {
  const arrows = `arrows ${level === 1 ? "" : level % 2 ? "odd" : "even"}`;
  const edges = make("g", { "aria-hidden": "true", class: arrows }, world);
  layout.nodes.forEach((node) => drawNode(node, x, y, level));
  const labels = make("g", { "aria-hidden": "true", class: arrows }, world);
  for (const edge of layout.edges) {
    const [source, target] = [layout.nodes[edge.source], layout.nodes[edge.target]];
    const kind = edge.flags.includes("e") ? "error" : edge.flags.includes("s") ? "skip" : "";
    const plain = target.port ? " plain" : "";
    const path = make("path", { class: `edge ${kind}${edge.flags.includes("o") ? " optional" : ""}${plain}`, d: pathOf(edge), transform: `translate(${x} ${y})` }, edges);
    for (const end of [source, target]) if (end.drawn) end.drawn.edges.push(path);
    edge.lines.forEach((line, n) => {
      make("text", { ...labelAt(edge, n, x, y), class: kind === "error" ? "label error" : "label" }, labels).textContent = line;
    });
  }
  for (const d of layout.loops) make("path", { class: "edge loop", d, transform: `translate(${x} ${y})` }, edges);
}

function drawNode(node, x, y, level) {
  const { box, path } = node;
  const [left, top] = [x + node.x, y + node.y];
  const kinds = ["box", node.port ? "port" : box.kind];
  if (node.open) kinds.push("frame", level % 2 ? "even" : "odd");
  if (box.family) kinds.push("family-" + box.family);
  if ((box.flags || "").includes("w")) kinds.push("weights");
  if ((box.flags || "").includes("o")) kinds.push("optional");
  if (box.error) kinds.push("error");
  const group = make("g", { class: kinds.join(" "), role: "treeitem", tabindex: "-1", "aria-level": path.length, "aria-label": spoken(node), "data-key": keyOf(path) }, world);
  group.style.transform = `translate(${left}px, ${top}px)`;
  if (opens(box)) group.setAttribute("aria-expanded", String(node.open));
  node.drawn = { element: group, node, x: left, y: top, edges: [] };
  drawn.set(keyOf(path), node.drawn);
  if (node.port) drawPort(group, node);
  else if (node.open) drawFrame(group, node);
  else drawBox(group, node);
  if (node.open) drawScope(node.inner, left + node.inset.x, top + node.inset.y, level + 1);
}

// A line of a label, beside an arrow that goes down, over or under one that goes to the right.
function labelAt(edge, n, x, y) {
  const { left, top } = roomOf(edge, edge.text);
  if (sideways()) return { x: x + top, y: y + left + 11 + 14 * n };
  return edge.text.side > 0 ? { x: x + left, y: y + top + 11 + 14 * n } : { x: x + left + edge.length, y: y + top + 11 + 14 * n, "text-anchor": "end" };
}

// A point on the border of a frame, with its name where there are several. A state has its name at the left, for the
// way back comes from the right.
function drawPort(group, node) {
  const input = node.box.kind === "input";
  const { width, height, label, state } = node;
  const [cx, cy] = sideways() ? [input ? 0 : width, height / 2] : [width / 2, input ? 0 : height];
  make("rect", { class: "shape", x: -3, y: -3, width: width + 6, height: height + 6, rx: 5 }, group);
  make("circle", { class: "dot", cx, cy, r: 2.6 }, group);
  if (!label) return;
  const place = sideways()
    ? { x: input ? 6 : width - 6, y: cy + (state ? 15 : -5), "text-anchor": input ? "start" : "end" }
    : { x: cx + (state ? -7 : 7), y: input ? 11 : height - 4, "text-anchor": state ? "end" : "start" };
  make("text", { class: "detail", ...place }, group).textContent = label;
}

function drawBox(group, node) {
  const { box, width, height } = node;
  const badge = box.caption[2] || "";
  if (box.kind === "block" && badge.startsWith("×")) {
    make("rect", { class: "sheet", x: 6, y: 6, width, height, rx: 6 }, group);
    make("rect", { class: "sheet", x: 3, y: 3, width, height, rx: 6 }, group);
  }
  make("rect", { class: "shape", width, height, rx: box.kind === "join" ? 13 : 6 }, group);
  make("rect", { class: "ring", x: -4, y: -4, width: width + 8, height: height + 8, rx: 9 }, group);
  const room = opens(box) ? FOLD : 0;
  const first = (height - node.rows.length * ROW) / 2 + 12;
  node.rows.forEach((row, n) => drawRow(group, row, room + (width - room - rowWidth(row)) / 2, first + n * ROW));
  if (opens(box)) drawFold(group, 4, height / 2 - 10, false);
  if (box.error) make("title", {}, group).textContent = box.error;
}

function drawFrame(group, node) {
  make("rect", { class: "shape", width: node.width, height: node.height, rx: 9 }, group);
  make("rect", { class: "ring", x: -4, y: -4, width: node.width + 8, height: node.height + 8, rx: 12 }, group);
  make("rect", { class: "head", width: node.width, height: node.head, rx: 9 }, group);
  node.rows.forEach((row, n) => drawRow(group, row, FOLD + 8, 18 + n * ROW));
  drawFold(group, 5, 4, true);
}

function drawRow(group, row, x, y) {
  const text = make("text", { y }, group);
  for (const part of row) {
    make("tspan", { class: part[1], x }, text).textContent = part[0];
    x += partWidth(part) + GAP;
  }
}

function drawFold(group, x, y, open) {
  const fold = make("g", { class: "fold", transform: `translate(${x} ${y})` }, group);
  make("rect", { width: 20, height: 20, rx: 5 }, fold);
  make("path", { d: open ? "M6 8.5L10 12.5L14 8.5" : "M8.5 6L12.5 10L8.5 14" }, fold);
}

function spoken({ box, open, port }) {
  const [name, detail, badge, ...lines] = (open ? box.open : box.caption) || [box.name, "", ""];
  const kind = port || box.kind === "input" || box.kind === "output" ? box.kind : "";
  const own = box.kind === "join" ? `${box.name}, ${box.op || name}` : name || box.name;
  return [kind && `${kind} ${own || box.name}`, kind ? "" : own, detail, badge, ...lines, box.error && `error: ${box.error}`].filter(Boolean).join(", ");
}

// Boxes glide from where they were.
function animateFrom(before) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches || drawn.size > 600) return;
  const moved = [];
  for (const [key, { element, x, y }] of drawn) {
    const old = before.get(key);
    if (!old || (old.x === x && old.y === y)) continue;
    element.style.transform = `translate(${old.x}px, ${old.y}px)`;
    moved.push([element, x, y]);
  }
  if (!moved.length) return;
  canvas.getBoundingClientRect(); // the old places first
  canvas.classList.add("moving");
  for (const [element, x, y] of moved) element.style.transform = `translate(${x}px, ${y}px)`;
  clearTimeout(animateFrom.timer);
  animateFrom.timer = setTimeout(() => canvas.classList.remove("moving"), 240);
}
