// The start: reads the data, draws, and wires the buttons.

// Replaced on a page that a server keeps up to date.
let openInEditor = () => {};

const root = document.documentElement;
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const button = (id) => document.getElementById(id);

const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches);
const showTheme = () => button("theme").setAttribute("aria-pressed", String(isDark()));

button("theme").addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  showTheme();
});
prefersDark.addEventListener("change", showTheme);

// A document that shows this page in a frame knows whether it is light or dark.
addEventListener("message", ({ data, source }) => {
  const palette = data?.layergraph;
  if (source !== parent || (palette !== "light" && palette !== "dark")) return;
  root.dataset.theme = palette;
  showTheme();
});
if (parent !== window) parent.postMessage({ layergraph: "which palette" }, "*");

button("unfold").addEventListener("click", unfoldAll);
button("fold").addEventListener("click", foldAll);
button("larger").addEventListener("click", () => zoom(1.25));
button("smaller").addEventListener("click", () => zoom(0.8));
button("fit").addEventListener("click", () => fit());
button("show-text").addEventListener("click", () => showText(document.getElementById("text").hidden));

function showText(shown) {
  document.getElementById("text").hidden = !shown;
  button("show-text").setAttribute("aria-pressed", String(shown));
}

function showKey() {
  const rows = model.data.families.map((family) => {
    const item = element("li");
    const swatch = make("svg", { "aria-hidden": "true" });
    const group = make("g", { class: `box layer family-${family}` }, swatch);
    make("rect", { class: "shape", x: 0.5, y: 0.5, width: 21, height: 13, rx: 4 }, group);
    item.append(swatch, family.replace(/_/g, " "));
    return item;
  });
  document.querySelector("#key ul").replaceChildren(...rows);
  document.getElementById("key").hidden = !rows.length;
}

function show(data) {
  loadModel(data);
  layouts.clear();
  document.title = data.title;
  document.getElementById("title").textContent = data.title;
  document.getElementById("subtitle").textContent = data.lines.join(" · ");
  loadText();
  showKey();
}

function start(data) {
  for (const path of data.open) setOpen(path, true);
  show(data);
  document.getElementById("key").open = Boolean(data.key);
  if (data.theme) root.dataset.theme = data.theme;
  showTheme();
  if (innerWidth < 700 || window.top !== window) showText(false);
  redraw();
  fit(false);
  const path = data.networks.length ? placeInAddress() : null;
  if (path) goTo(path);
}

start(JSON.parse(document.getElementById("data").textContent));
