// Where all stands. Each scope is laid out by itself, by dagre, with what is open inside as one box of its size; so
// folding one changes its own layout and those around it, and no others.

const PAD = 16;
const HEAD = 27;
const layouts = new Map();

function forgetLayout(path) {
  for (let length = 1; length <= path.length; length += 1) layouts.delete(keyOf(path.slice(0, length)));
}

const elidedBox = ([from, to]) => ({
  kind: "elided",
  name: "…" + from,
  caption: [`… ${(to - from + 1).toLocaleString("en")} more layers`, "", ""],
});

// The inside of a scope: boxes, arrows, and the x of its ports.
function layoutOf(path) {
  const key = keyOf(path);
  if (!layouts.has(key)) layouts.set(key, computeLayout(path, scopeAt(path)));
  return layouts.get(key);
}

function computeLayout(path, scope) {
  const items = shownIn(path, scope);
  const home = new Map();
  const nodes = items.map((item, n) => {
    const run = Array.isArray(item);
    for (let at = run ? item[0] : item; at <= (run ? item[1] : item); at += 1) home.set(at, n);
    const box = run ? elidedBox(item) : scope.boxes[item];
    return nodeOf([...path, nameOf(box)], box, run ? item : null, scope);
  });
  const edges = edgesOf(scope, nodes, home);
  arrange(nodes, edges, path.length > 1);
  return finish(scope, nodes, edges, path.length > 1);
}

function nodeOf(path, box, run, scope) {
  const node = { path, box, run, inner: null, open: false };
  if (path.length > 2 && (box.kind === "input" || box.kind === "output")) {
    const alone = scope.boxes.filter((one) => one.kind === box.kind).length === 1;
    const label = alone ? "" : box.name;
    return Object.assign(node, { port: true, label, width: label ? 2 * textWidth(label, 11) + 20 : 10, height: label ? 14 : 4 });
  }
  if (opens(box) && isOpen(path)) return Object.assign(node, frameOf(path, box));
  return Object.assign(node, sizeOf(box));
}

// An open block: a head with its title, and its inside.
function frameOf(path, box) {
  const inner = layoutOf(path);
  const rows = rowsOf(box.open);
  const head = HEAD + (rows.length - 1) * ROW;
  const title = Math.max(...rows.map(rowWidth)) + 22 + FOLD;
  const own = Math.max(inner.width + 2 * PAD, title);
  const left = (own - inner.width) / 2;
  const below = inner.outs.size ? 0 : PAD;
  return { open: true, inner, rows, head, left, own, width: own, height: inner.height + head + below };
}

function edgesOf(scope, nodes, home) {
  const found = new Map();
  for (const [from, to, label, flags, ports] of scope.edges) {
    const source = home.get(from);
    const target = home.get(to);
    if (source === target) continue;
    const parted = ports && (nodes[source].open || nodes[target].open) ? ports : [["", ""]];
    for (const [out, into] of parted) {
      const outPort = nodes[source].open ? out : "";
      const inPort = nodes[target].open ? into : "";
      const key = [source, target, outPort, inPort].join(" ");
      const known = found.get(key);
      if (known) continue;
      const plain = nodes[source].run || nodes[target].run;
      const named = plain || parted.length > 1 || label === inPort;
      found.set(key, { source, target, label: named ? "" : label, flags, out: outPort, into: inPort });
    }
  }
  return [...found.values()];
}

// Positions from dagre. An open block is given room on both sides of where its main arrow enters, so that the main
// line stays straight. Of dagre's ways to align, the one that bends the main line least is taken.
function arrange(nodes, edges, inside) {
  prepare(nodes, edges);
  const aligns = nodes.length > 150 ? [undefined] : [undefined, "UL", "UR", "DL", "DR"];
  let best = null;
  for (const align of aligns) {
    const graph = graphOf(nodes, edges, inside, align);
    dagre.layout(graph);
    const cost = bending(graph, edges);
    if (!best || cost < best.cost - 1) best = { graph, cost };
    if (best.cost < 1) break;
  }
  const { graph } = best;
  const flip = isMirrored(graph, nodes) ? -1 : 1; // as in the file, from left to right
  nodes.forEach((node, n) => {
    const { x, y } = graph.node(String(n));
    Object.assign(node, { x: flip * x - node.axis, y: y - node.height / 2, centre: flip * x });
    if (node.open) node.width = node.own;
  });
  const rows = rowsAcross(nodes);
  for (const { v, w, name } of graph.edges()) {
    if (name === "port") continue;
    const { points } = graph.edge(v, w, name);
    const bends = points.slice(1, -1).map((point) => ({ x: flip * point.x, y: point.y }));
    const edge = edges[Number(name)];
    Object.assign(edge, { bends, after: rows.get(nodes[edge.source]), before: rows.get(nodes[edge.target]), rows: rows.all });
  }
  straighten(nodes, edges);
}

// Moves boxes of the main line below one another, where nothing is in the way.
function straighten(nodes, edges) {
  const main = edges.filter((edge) => edge.flags.includes("m"));
  main.sort((a, b) => nodes[a.source].y - nodes[b.source].y);
  for (const edge of main) {
    const [source, target] = [nodes[edge.source], nodes[edge.target]];
    const by = startOf(edge, source).x - endOf(edge, target).x;
    if (Math.abs(by) < 1 || !edge.before) continue;
    const low = target.x + Math.min(by, 0) - 14;
    const high = target.x + target.width + Math.max(by, 0) + 14;
    const inRow = ({ y }) => edge.before.top <= y && y <= edge.before.bottom;
    const blocked =
      edge.before.nodes.some((node) => node !== target && node.x < high && node.x + node.width > low) ||
      edges.some((other) => other.bends.some((bend) => inRow(bend) && low < bend.x && bend.x < high));
    if (blocked) continue;
    target.x += by;
    target.centre += by;
  }
}

// The rows of boxes: how far each reaches up and down. Arrows go aside between them alone.
function rowsAcross(nodes) {
  const found = new Map();
  const all = new Map();
  for (const node of nodes) {
    const key = Math.round(node.y + node.height / 2);
    const row = all.get(key) || { top: Infinity, bottom: -Infinity, nodes: [] };
    row.nodes.push(node);
    row.top = Math.min(row.top, node.y);
    row.bottom = Math.max(row.bottom, node.y + node.height);
    all.set(key, row);
    found.set(node, row);
  }
  found.all = [...all.values()];
  return found;
}

function prepare(nodes, edges) {
  nodes.forEach((node, n) => {
    node.axis = node.width / 2;
    node.room = node.width;
    if (!node.open) return;
    const main = edges.find((edge) => edge.target === n && edge.flags.includes("m")) || edges.find((edge) => edge.target === n);
    node.axis = node.left + (main ? portX(node.inner, "ins", main.into) : node.inner.width / 2);
    node.room = 2 * Math.max(node.axis, node.own - node.axis);
  });
  for (const edge of edges) {
    edge.lines = edge.label ? wrapped(edge.label, 22, 2) : [];
    edge.breadth = edge.lines.length ? 2 * Math.max(...edge.lines.map((line) => textWidth(line, 11))) + 20 : 0;
  }
}

function graphOf(nodes, edges, inside, align) {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  const ranker = nodes.length > 300 ? "longest-path" : "network-simplex";
  graph.setGraph({ nodesep: 22, edgesep: 16, ranksep: 34, ranker, align });
  nodes.forEach((node, n) => graph.setNode(String(n), { width: node.room, height: node.height }));
  const ports = nodes.map((node, n) => (node.port ? n : -1)).filter((n) => n >= 0);
  if (inside && ports.length) {
    for (const end of ["top", "bottom"]) graph.setNode(end, { width: 0, height: 0 });
    for (const n of ports) {
      const ends = nodes[n].box.kind === "input" ? ["top", String(n)] : [String(n), "bottom"];
      graph.setEdge(...ends, { weight: 500, minlen: 1 }, "port");
    }
  }
  edges.forEach((edge, n) => {
    const weight = edge.flags.includes("m") ? 8 : edge.flags.includes("s") ? 1 : 2;
    const size = { width: edge.breadth, height: edge.lines.length * 14, labelpos: "c" };
    graph.setEdge(String(edge.source), String(edge.target), { weight, ...size }, String(n));
  });
  return graph;
}

// How far the main line goes sideways.
function bending(graph, edges) {
  const x = (n) => graph.node(String(n)).x;
  return edges.reduce((sum, edge) => sum + (edge.flags.includes("m") ? Math.abs(x(edge.source) - x(edge.target)) : 0), 0);
}

// Whether boxes side by side are mostly in the other order than in the file.
function isMirrored(graph, nodes) {
  const rows = new Map();
  nodes.forEach((_, n) => {
    const { x, y } = graph.node(String(n));
    const row = Math.round(y);
    rows.set(row, [...(rows.get(row) || []), x]);
  });
  let order = 0;
  for (const row of rows.values()) for (let n = 1; n < row.length; n += 1) order += Math.sign(row[n] - row[n - 1]);
  return order < 0;
}

const portX = (inner, side, name) => {
  const x = inner[side].get(name);
  return x !== undefined ? x : inner[side].size ? inner[side].values().next().value : inner.width / 2;
};

// Shifts all to the origin, and finds the ends of arrows.
function finish(scope, nodes, edges, inside) {
  const layers = nodes.filter((node) => !node.port);
  const ports = nodes.filter((node) => node.port);
  const top = Math.min(...nodes.map((node) => node.y));
  const bottom = Math.max(...nodes.map((node) => node.y + node.height));
  for (const node of ports) node.y = node.box.kind === "input" ? top : bottom - node.height;
  edges.forEach((edge) => route(edge, nodes[edge.source], nodes[edge.target]));
  const xs = [
    ...layers.flatMap((node) => [node.x, node.x + node.width]),
    ...ports.flatMap((node) => [node.centre - 6, node.centre + node.width / 2]),
    ...edges.flatMap((edge) => edge.points.map((point) => point.x)),
    ...edges.flatMap((edge) => (edge.lines.length ? [edge.text.x, edge.text.x + Math.max(...edge.lines.map((line) => textWidth(line, 11)))] : [])),
  ];
  const left = xs.length ? Math.min(...xs) : 0;
  const loops = (scope.loops || []).length * 14;
  const width = (xs.length ? Math.max(...xs) - left : 40) + (loops && loops + 10);
  const move = (point) => ({ x: point.x - left, y: point.y - top });
  for (const node of nodes) Object.assign(node, move(node), { centre: node.centre - left });
  for (const edge of edges) {
    edge.points = edge.points.map(move);
    if (edge.lines.length) edge.text = move(edge.text);
  }
  const side = (kind) => new Map(ports.filter((node) => node.box.kind === kind).map((node) => [node.box.name, node.centre]));
  const found = { width, height: bottom - top, nodes, edges, ins: side("input"), outs: side("output"), inside };
  found.loops = (scope.loops || []).map((name, n) => loopOf(found, name, width - 6 - 14 * n)).filter(Boolean);
  return found;
}

// A state that goes back from an output to the input of the same name, at the right side.
function loopOf(layout, name, x) {
  const from = layout.outs.get(name);
  const to = layout.ins.get(name);
  if (from === undefined || to === undefined) return null;
  const low = layout.height - 5;
  return `M${from} ${low}H${x - 6}Q${x} ${low} ${x} ${low - 6}V12Q${x} 6 ${x - 6} 6H${to + 5}`;
}

// Where an arrow leaves a box, at its lower side, and where it arrives, at the upper one.
const startOf = (edge, source) =>
  source.open
    ? { x: source.x + source.left + portX(source.inner, "outs", edge.out), y: source.y + source.height }
    : { x: source.centre, y: source.port ? source.y : source.y + source.height };
const endOf = (edge, target) =>
  target.open
    ? { x: target.x + target.left + portX(target.inner, "ins", edge.into), y: target.y }
    : { x: target.centre, y: target.port ? target.y + target.height : target.y };

// The corners of an arrow: it goes aside between the rows of boxes alone.
function route(edge, source, target) {
  const [start, end] = [startOf(edge, source), endOf(edge, target)];
  edge.points = [start];
  const add = (x, y) => edge.points.push({ x, y });
  if (edge.after.bottom > start.y + 1) add(start.x, edge.after.bottom);
  const passed = edge.bends.flatMap(({ x, y }) => edge.rows.filter((row) => row.top <= y && y <= row.bottom).map((row) => [x, row]));
  for (const [x, row] of passed) {
    add(x, row.top);
    add(x, row.bottom);
  }
  const last = edge.points[edge.points.length - 1];
  edge.side = 0;
  if (entersAside(edge, target, last)) {
    edge.side = Math.sign(last.x - target.centre);
    const middle = target.y + target.height / 2;
    add(target.centre + (edge.side * target.width) / 2, middle);
  } else {
    if (edge.before.top < end.y - 1) add(end.x, edge.before.top);
    add(end.x, end.y);
  }
  if (edge.lines.length) edge.text = labelPlace(edge.points);
}

// Whether an arrow turns into the side of a sum: it comes from aside, with no box between.
function entersAside(edge, target, { x }) {
  if (target.box.kind !== "join" || Math.abs(x - target.centre) < 26) return false;
  const [low, high] = [Math.min(x, target.centre), Math.max(x, target.centre)];
  return !edge.before.nodes.some((node) => node !== target && node.x < high && node.x + node.width > low);
}

// Beside the longest part that goes down.
function labelPlace(points) {
  let best = null;
  for (let n = 1; n < points.length; n += 1) {
    const [from, to] = [points[n - 1], points[n]];
    const length = to.y - from.y - Math.abs(to.x - from.x) / 2;
    if (!best || length > best.length) best = { length, x: (from.x + to.x) / 2 + 8, y: (from.y + to.y) / 2 };
  }
  return { x: best.x, y: best.y };
}

// An arrow as a line of curves that leave and arrive upright, or at the side of a sum.
function pathOf({ points, side }) {
  const [start, ...rest] = points;
  let text = `M${round(start.x)} ${round(start.y)}`;
  let from = start;
  rest.forEach((to, n) => {
    const dx = to.x - from.x;
    if (side && n === rest.length - 1) {
      const turn = Math.min(12, Math.abs(dx) / 2);
      text += `V${round(to.y - turn)}Q${round(from.x)} ${round(to.y)} ${round(from.x - side * turn)} ${round(to.y)}H${round(to.x)}`;
    } else if (Math.abs(dx) < 0.75) text += `L${round(to.x)} ${round(to.y)}`;
    else if (Math.abs(dx) > 7 * Math.abs(to.y - from.y)) text += elbow(from, to);
    else {
      const half = (from.y + to.y) / 2;
      text += `C${round(from.x)} ${round(half)} ${round(to.x)} ${round(half)} ${round(to.x)} ${round(to.y)}`;
    }
    from = to;
  });
  return text;
}

// Down, aside and down, with round corners.
function elbow(from, to) {
  const half = (from.y + to.y) / 2;
  const side = Math.sign(to.x - from.x);
  const turn = Math.min(9, Math.abs(to.y - from.y) / 2);
  const [x, y] = [round(half - turn), round(half + turn)];
  return (
    `V${x}Q${round(from.x)} ${round(half)} ${round(from.x + side * turn)} ${round(half)}` +
    `H${round(to.x - side * turn)}Q${round(to.x)} ${round(half)} ${round(to.x)} ${y}V${round(to.y)}`
  );
}

const round = (number) => Math.round(number * 10) / 10;

// The networks, each in a frame of its own if there are several, set in rows.
function layoutAll() {
  const networks = model.data.networks;
  if (networks.length === 1) {
    setOpen([0], true);
    const inner = layoutOf([0]);
    return { nodes: [], inner, width: inner.width, height: inner.height };
  }
  if (!networks.length) return { nodes: [], inner: null, width: 1, height: 1 };
  const nodes = networks.map((_, n) => nodeOf([n], boxAt([n]), null, { kind: "network", boxes: [] }));
  const most = Math.max(1800, ...nodes.map((node) => node.width));
  let [x, y, tallest, width] = [0, 0, 0, 0];
  for (const node of nodes) {
    if (x && x + node.width > most) [x, y, tallest] = [0, y + tallest + 40, 0];
    Object.assign(node, { x, y });
    x += node.width + 40;
    tallest = Math.max(tallest, node.height);
    width = Math.max(width, x - 40);
  }
  return { nodes, inner: null, width, height: y + tallest };
}
