// Search by the names of layers, ops and blocks.

const search = document.getElementById("search");
const results = document.getElementById("results");
const MOST_RESULTS = 40;
const hits = { paths: [], at: -1 };

function rank(box, wanted) {
  const name = box.name.toLowerCase();
  if (name === wanted) return 0;
  if (name.startsWith(wanted)) return 1;
  const op = (box.op || "").toLowerCase();
  if (op === wanted) return 2;
  if (name.includes(wanted) || op.includes(wanted)) return 3;
  return (box.caption[1] || "").toLowerCase().includes(wanted) ? 4 : -1;
}

function find(written) {
  const wanted = written.trim().toLowerCase();
  if (!wanted) return [];
  const found = [];
  model.data.networks.forEach((network, n) => {
    if (model.data.networks.length > 1 && network.name.toLowerCase().includes(wanted)) found.push([0, [n], boxAt([n])]);
  });
  const dotted = wanted.split(".");
  const last = dotted[dotted.length - 1];
  model.data.scopes.forEach((scope, number) => {
    for (const box of scope.boxes) {
      if (!box.name) continue;
      const place = rank(box, last);
      if (place >= 0) found.push([place, number, box]);
    }
  });
  found.sort((a, b) => a[0] - b[0]);
  const shown = [];
  for (const [, at, box] of found) {
    const around = Array.isArray(at) ? null : pathTo(at);
    const path = Array.isArray(at) ? at : around && [...around, nameOf(box)];
    if (!path || (dotted.length > 1 && !titleOf(path).toLowerCase().includes(wanted))) continue;
    shown.push([path, box]);
    if (shown.length === MOST_RESULTS) break;
  }
  return shown;
}

function showResults() {
  const found = find(search.value);
  hits.paths = found.map(([path]) => path);
  results.replaceChildren(
    ...found.map(([path, box], n) => {
      const item = element("li");
      item.id = `result-${n}`;
      item.setAttribute("role", "option");
      item.append(element("b", box.name), element("span", box.kind === "input" || box.kind === "output" ? box.kind : box.op || ""));
      if (path.length > 2) item.append(element("small", titleOf(path.slice(0, -1))));
      item.addEventListener("pointerdown", (event) => event.preventDefault()); // focus stays
      item.addEventListener("click", () => choose(n));
      return item;
    }),
  );
  if (search.value.trim() && !found.length) {
    const none = element("li", "Nothing has this name");
    none.setAttribute("role", "option");
    none.setAttribute("aria-disabled", "true");
    results.append(none);
  }
  const open = Boolean(search.value.trim());
  results.hidden = !open;
  search.setAttribute("aria-expanded", String(open));
  point(found.length ? 0 : -1);
}

function point(n) {
  hits.at = n;
  [...results.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === n)));
  if (n >= 0) {
    search.setAttribute("aria-activedescendant", `result-${n}`);
    results.children[n].scrollIntoView({ block: "nearest" });
  } else search.removeAttribute("aria-activedescendant");
}

function choose(n) {
  const path = hits.paths[n];
  if (!path) return;
  closeResults();
  goTo(path, { focus: true });
}

function closeResults() {
  results.hidden = true;
  search.setAttribute("aria-expanded", "false");
  search.removeAttribute("aria-activedescendant");
}

search.addEventListener("input", showResults);
search.addEventListener("focus", () => search.value.trim() && showResults());
search.addEventListener("blur", closeResults);
search.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") point(Math.min(hits.at + 1, hits.paths.length - 1));
  else if (event.key === "ArrowUp") point(Math.max(hits.at - 1, 0));
  else if (event.key === "Enter") choose(Math.max(hits.at, 0));
  else if (event.key === "Escape") {
    if (results.hidden) search.value = "";
    closeResults();
    search.blur();
  } else return;
  event.preventDefault();
});
