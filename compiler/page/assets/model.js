// The networks: scopes that hold boxes, and boxes that open scopes. A path is the number of a network, then names of
// boxes; its key is the path as text. Scopes that are drawn alike are one object, however many paths lead to them.

const model = { data: null, open: new Set(), revealed: new Map() };

const keyOf = (path) => path.join("/");

// An input, a layer and an output of one scope may have the same name.
const nameOf = (box) => (box.kind === "output" ? box.name + ">" : box.kind === "input" ? box.name + "<" : box.name);

function loadModel(data) {
  model.data = data;
  model.users = null;
}

function scopeAt(path) {
  const network = model.data.networks[path[0]];
  let scope = network && model.data.scopes[network.scope];
  for (const name of path.slice(1)) {
    const box = scope && named(scope, name);
    scope = box && box.opens !== undefined ? model.data.scopes[box.opens] : undefined;
  }
  return scope;
}

// The box at a path; of a network alone, a box that stands for it.
function boxAt(path) {
  if (path.length > 1) {
    const scope = scopeAt(path.slice(0, -1));
    return scope && named(scope, path[path.length - 1]);
  }
  const network = model.data.networks[path[0]];
  if (!network) return undefined;
  const scope = model.data.scopes[network.scope];
  const caption = [network.name, "", ""];
  return { kind: "block", name: network.name, caption, open: caption, opens: network.scope, op: scope.kind, text: scope.text, at: scope.at };
}

const opens = (box) => Boolean(box) && box.opens !== undefined;
// The boxes of a scope by name; made as it is asked for.
function named(scope, name) {
  scope.byName = scope.byName || new Map(scope.boxes.map((box) => [nameOf(box), box]));
  return scope.byName.get(name);
}

const isOpen = (path) => model.open.has(keyOf(path));

function setOpen(path, open) {
  const key = keyOf(path);
  if (open) model.open.add(key);
  else model.open.delete(key);
}

// What a scope shows: its boxes by number, and runs of hidden ones as pairs of the first and the last.
function shownIn(path, scope) {
  const boxes = scope.boxes;
  if (!scope.ends) return boxes.map((_, number) => number);
  const first = boxes.findIndex((box) => box.kind !== "input");
  let last = boxes.length - 1;
  while (boxes[last].kind === "output") last -= 1;
  const ranges = model.revealed.get(keyOf(path)) || [];
  const shown = (n) =>
    n < first + scope.ends || n > last - scope.ends || ranges.some(([from, to]) => from <= n && n <= to);
  const items = [];
  for (let n = 0; n < boxes.length; n += 1) {
    if (n < first || n > last || shown(n)) items.push(n);
    else if (Array.isArray(items[items.length - 1])) items[items.length - 1][1] = n;
    else items.push([n, n]);
  }
  return items;
}

function revealNumber(path, scope, number) {
  if (!scope.ends) return;
  const key = keyOf(path);
  model.revealed.set(key, [...(model.revealed.get(key) || []), [number - 6, number + 6]]);
}

// A hidden run, opened from its start.
function revealRun(path, [from, to]) {
  const key = keyOf(path);
  model.revealed.set(key, [...(model.revealed.get(key) || []), [from, Math.min(to, from + 31)]]);
}

// Open all around a path, so that its box is in the picture.
function reveal(path) {
  for (let length = 1; length < path.length; length += 1) {
    const outer = path.slice(0, length);
    setOpen(outer, true);
    const scope = scopeAt(outer);
    const number = scope.boxes.indexOf(named(scope, path[length]));
    if (!shownIn(outer, scope).includes(number)) revealNumber(outer, scope, number);
  }
}

// Which boxes open each scope: pairs of a scope and a box, or networks.
function usersOf(number) {
  if (!model.users) {
    model.users = model.data.scopes.map(() => []);
    model.data.networks.forEach((network, n) => model.users[network.scope].push([null, n]));
    model.data.scopes.forEach((scope, n) => {
      for (const box of scope.boxes) if (opens(box)) model.users[box.opens].push([n, box]);
    });
  }
  return model.users[number];
}

// A path to a scope: of several, one that is open as far in as possible.
function pathTo(number, seen = new Set()) {
  if (seen.has(number) || seen.size > 500) return null;
  seen.add(number);
  let best = null;
  for (const [outer, box] of usersOf(number).slice(0, 8)) {
    const around = outer === null ? [] : pathTo(outer, seen);
    if (!around) continue;
    const path = outer === null ? [box] : [...around, nameOf(box)];
    if (isOpen(path)) return path;
    best = best || path;
  }
  return best;
}

const titleOf = (path) => {
  const several = model.data.networks.length > 1;
  const names = path.slice(1).map((name) => name.replace(/[<>]$/, ""));
  return (several || !names.length ? [model.data.networks[path[0]].name, ...names] : names).join(".");
};
