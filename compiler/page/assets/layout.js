// Where all stands. Each scope is laid out by itself, by dagre, with what is open inside as one box of its size; so
// folding one changes its own layout and those around it, and no others.
//
// All is laid out downwards. Where the picture is to go to the right, sizes are turned before and places after.

const PAD = 16;
const HEAD = 27;
const layouts = new Map();

const sideways = () => model.data.direction === "LR";
const turned = (size) => (sideways() ? { ...size, width: size.height, height: size.width } : size);

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
  arrange(nodes, edges);
  return finish(scope, nodes, edges);
}

function nodeOf(path, box, run, scope) {
  const node = { path, box, run, inner: null, open: false };
  if (path.length > 2 && (box.kind === "input" || box.kind === "output")) {
    const alone = scope.boxes.filter((one) => one.kind === box.kind).length === 1;
    const label = alone ? "" : box.name;
    const length = label ? textWidth(label, 11) + 10 : 4;
    const size = sideways() ? { width: label ? 26 : 10, height: length } : { width: label ? 2 * length : 10, height: label ? 14 : 4 };
    return Object.assign(node, { port: true, label, state: (scope.loops || []).includes(box.name), ...size });
  }
  if (opens(box) && isOpen(path)) return Object.assign(node, turned(frameOf(path, box)));
  return Object.assign(node, turned(sizeOf(box)));
}

// An open block: a head with its title, and its inside.
function frameOf(path, box) {
  const inner = layoutOf(path);
  const rows = rowsOf(box.open);
  const head = HEAD + (rows.length - 1) * ROW;
  const title = Math.max(...rows.map(rowWidth)) + 22 + FOLD;
  if (sideways()) {
    const before = inner.ins.size ? 0 : PAD;
    const after = inner.outs.size ? 0 : PAD;
    const width = Math.max(before + inner.width + after, title);
    return { open: true, inner, rows, head, left: head, inset: { x: before, y: head }, width, height: head + inner.height + PAD };
  }
  const width = Math.max(inner.width + 2 * PAD, title);
  const left = (width - inner.width) / 2;
  const below = inner.outs.size ? 0 : PAD;
  return { open: true, inner, rows, head, left, inset: { x: left, y: head }, width, height: inner.height + head + below };
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
function arrange(nodes, edges) {
  prepare(nodes, edges);
  const aligns = nodes.length > 150 ? [undefined] : [undefined, "UL", "UR", "DL", "DR"];
  let best = null;
  for (const align of aligns) {
    const graph = graphOf(nodes, edges, align);
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
    node.axis = node.left + (main ? portX(node.inner, "ins", main.into) : node.inner.across / 2);
    node.room = 2 * Math.max(node.axis, node.width - node.axis);
  });
  for (const edge of edges) {
    edge.lines = edge.label ? wrapped(edge.label, 22, 2) : [];
    edge.length = edge.lines.length ? Math.max(...edge.lines.map((line) => textWidth(line, 11))) : 0;
    // The text is at one side of the arrow, which is in the middle of its room.
    edge.room = { width: edge.length && 2 * edge.length + 20, height: edge.lines.length * 14 };
    if (sideways() && edge.length) edge.room = { width: edge.lines.length * 28 + 8, height: edge.length + 12 };
  }
}

function graphOf(nodes, edges, align) {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  const ranker = nodes.length > 300 ? "longest-path" : "network-simplex";
  graph.setGraph({ nodesep: 22, edgesep: 16, ranksep: 34, ranker, align });
  nodes.forEach((node, n) => graph.setNode(String(n), { width: node.room, height: node.height }));
  const ports = nodes.map((node, n) => (node.port ? n : -1)).filter((n) => n >= 0);
  if (ports.length) {
    for (const end of ["top", "bottom"]) graph.setNode(end, { width: 0, height: 0 });
    for (const n of ports) {
      const ends = nodes[n].box.kind === "input" ? ["top", String(n)] : [String(n), "bottom"];
      graph.setEdge(...ends, { weight: 500, minlen: 1 }, "port");
    }
  }
  edges.forEach((edge, n) => {
    const weight = edge.flags.includes("m") ? 8 : edge.flags.includes("s") ? 1 : 2;
    graph.setEdge(String(edge.source), String(edge.target), { weight, ...edge.room, labelpos: "c" }, String(n));
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
  return x !== undefined ? x : inner[side].size ? inner[side].values().next().value : inner.across / 2;
};

const acrossOf = ({ left, right }) => [left, right];

// The least and the greatest of numbers, which may be too many to be arguments.
const ends = (numbers) => numbers.reduce(([least, most], one) => [Math.min(least, one), Math.max(most, one)], [Infinity, -Infinity]);

// Shifts all to the origin, and finds the ends of arrows.
function finish(scope, nodes, edges) {
  const layers = nodes.filter((node) => !node.port);
  const ports = nodes.filter((node) => node.port);
  const [top, bottom] = ends(nodes.flatMap((node) => [node.y, node.y + node.height]));
  for (const node of ports) node.y = node.box.kind === "input" ? top : bottom - node.height;
  edges.forEach((edge) => route(edge, nodes[edge.source], nodes[edge.target]));
  spreadLanes(edges);
  placeLabels(nodes, edges);
  const xs = [
    ...layers.flatMap((node) => [node.x, node.x + node.width]),
    ...ports.flatMap((node) => [node.centre - 6, node.centre + node.width / 2]),
    ...edges.flatMap((edge) => edge.points.map((point) => point.x)),
    ...edges.filter((edge) => edge.lines.length).flatMap((edge) => acrossOf(roomOf(edge, edge.text))),
  ];
  const [left, right] = ends(xs);
  const loops = (scope.loops || []).length * 14;
  const width = right - left + (loops && loops + 10);
  const move = (point) => ({ x: point.x - left, y: point.y - top });
  for (const node of nodes) Object.assign(node, move(node), { centre: node.centre - left });
  for (const edge of edges) {
    edge.points = edge.points.map(move);
    if (edge.lines.length) edge.text = { ...edge.text, ...move(edge.text) };
  }
  const side = (kind) => new Map(ports.filter((node) => node.box.kind === kind).map((node) => [node.box.name, node.centre]));
  const found = { across: width, along: bottom - top, nodes, edges, ins: side("input"), outs: side("output") };
  found.loops = (scope.loops || []).map((name, n) => loopOf(found, name, width - 6 - 14 * n)).filter(Boolean);
  if (sideways()) nodes.forEach(turn);
  return Object.assign(found, turned({ width, height: bottom - top }));
}

function turn(node) {
  [node.x, node.y, node.width, node.height] = [node.y, node.x, node.height, node.width];
}

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
  if (sideways()) nodes.forEach((node) => ([node.width, node.height] = [node.height, node.width]));
  const most = sideways() ? 0 : Math.max(1800, ...nodes.map((node) => node.width));
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
