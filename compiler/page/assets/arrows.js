// The ways of arrows: from the lower side of a box down to the upper side of another, whatever side that is on the screen.

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
}

// Whether an arrow turns into the side of a sum: it comes from aside, with no box between.
function entersAside(edge, target, { x }) {
  if (target.box.kind !== "join" || Math.abs(x - target.centre) < 26) return false;
  const [low, high] = [Math.min(x, target.centre), Math.max(x, target.centre)];
  return !edge.before.nodes.some((node) => node !== target && node.x < high && node.x + node.width > low);
}

// Where the labels stand: beside the longest part that goes down, or where they cover no box, no other label and, if
// there is such a place, no other arrow.
function placeLabels(nodes, edges) {
  const taken = nodes.map(({ x, y, width, height }) => ({ left: x, right: x + width, top: y, bottom: y + height }));
  const ways = edges.flatMap((edge) => spansOf(edge));
  for (const edge of edges) {
    if (!edge.lines.length) continue;
    const places = placesBeside(edge.points).map((place) => [place, roomOf(edge, place)]);
    const free = places.filter(([, room]) => !taken.some((other) => overlap(room, other)));
    const clear = free.find(([, room]) => !ways.some((way) => way.edge !== edge && overlap(room, way)));
    const [place, room] = clear || free[0] || places[0];
    edge.text = place;
    taken.push(room);
  }
}

// What an arrow covers, part by part; a part that goes aside, in the middle of its height.
function spansOf(edge) {
  return edge.points.slice(1).map((to, n) => {
    const from = edge.points[n];
    const [left, right] = [Math.min(from.x, to.x) - 1, Math.max(from.x, to.x) + 1];
    const half = (from.y + to.y) / 2;
    const [top, bottom] = right - left < 4 ? [from.y, to.y] : [half - 4, half + 4];
    return { edge, left, right, top, bottom };
  });
}

const overlap = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

// Middles of the parts of an arrow, the longest first, then other points; each at one side and at the other.
function placesBeside(points) {
  const parts = points.slice(1).map((to, n) => ({ from: points[n], to, length: to.y - points[n].y - Math.abs(to.x - points[n].x) / 2 }));
  parts.sort((a, b) => b.length - a.length);
  parts.splice(5);
  return [0.5, 0.25, 0.75].flatMap((part) =>
    parts.flatMap(({ from, to }) =>
      [1, -1].map((side) => ({ x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part, side })),
    ),
  );
}

// What the text of a label covers at a place.
function roomOf({ length, lines }, { x, y, side }) {
  const [across, along] = sideways() ? [14 * lines.length, length] : [length, 14 * lines.length];
  const left = side > 0 ? x + 7 : x - 7 - across;
  return { left, right: left + across, top: y - along / 2, bottom: y + along / 2 };
}

const isFlat = (from, to) => Math.abs(to.x - from.x) > 7 * Math.abs(to.y - from.y);

// Arrows that go aside far, one over another for each place that they come from.
function spreadLanes(edges) {
  const gaps = new Map();
  for (const edge of edges) {
    edge.lanes = [];
    edge.points.slice(1).forEach((to, n) => {
      const from = edge.points[n];
      if (!isFlat(from, to) || to.y - from.y < 12) return;
      const key = Math.round(from.y);
      if (!gaps.has(key)) gaps.set(key, new Map());
      const starts = gaps.get(key);
      const start = Math.round(from.x);
      if (!starts.has(start)) starts.set(start, []);
      starts.get(start).push([edge, n, to.y - from.y]);
    });
  }
  for (const starts of gaps.values()) {
    [...starts.values()].forEach((found, lane) => {
      for (const [edge, n, height] of found) {
        const step = Math.min(6, (height - 14) / starts.size);
        edge.lanes[n] = step * (lane - (starts.size - 1) / 2);
      }
    });
  }
}

const round = (number) => Math.round(number * 10) / 10;
const at = (x, y) => (sideways() ? `${round(y)} ${round(x)}` : `${round(x)} ${round(y)}`);

// An arrow as a line of curves that leave and arrive upright, or at the side of a sum.
function pathOf({ points, side, lanes }) {
  const [start, ...rest] = points;
  let text = `M${at(start.x, start.y)}`;
  let from = start;
  rest.forEach((to, n) => {
    const dx = to.x - from.x;
    if (side && n === rest.length - 1) {
      const turn = Math.min(12, Math.abs(dx) / 2);
      text += `L${at(from.x, to.y - turn)}Q${at(from.x, to.y)} ${at(from.x - side * turn, to.y)}L${at(to.x, to.y)}`;
    } else if (Math.abs(dx) < 0.75) text += `L${at(to.x, to.y)}`;
    else if (isFlat(from, to)) text += elbow(from, to, lanes[n] || 0);
    else {
      const half = (from.y + to.y) / 2;
      text += `C${at(from.x, half)} ${at(to.x, half)} ${at(to.x, to.y)}`;
    }
    from = to;
  });
  return text;
}

// Down, aside and down, with round corners.
function elbow(from, to, lane) {
  const half = (from.y + to.y) / 2 + lane;
  const side = Math.sign(to.x - from.x);
  const turn = Math.min(9, Math.abs(to.y - from.y) / 2 - Math.abs(lane));
  return (
    `L${at(from.x, half - turn)}Q${at(from.x, half)} ${at(from.x + side * turn, half)}` +
    `L${at(to.x - side * turn, half)}Q${at(to.x, half)} ${at(to.x, half + turn)}L${at(to.x, to.y)}`
  );
}

// A state that goes back from an output to the input of the same name, aside of all.
function loopOf(layout, name, x) {
  const from = layout.outs.get(name);
  const to = layout.ins.get(name);
  if (from === undefined || to === undefined) return null;
  const low = layout.along - 6;
  return (
    `M${at(from, low)}L${at(x - 6, low)}Q${at(x, low)} ${at(x, low - 6)}` +
    `L${at(x, 12)}Q${at(x, 6)} ${at(x - 6, 6)}L${at(to + 4, 6)}`
  );
}
