// The text of the spec beside the picture, each leading to the other.

const sheet = document.getElementById("sheet");
const lines = document.getElementById("lines");
const code = document.getElementById("code");
const numbers = document.getElementById("numbers");
const mark = document.getElementById("mark");
const file = document.getElementById("file");
const problems = document.getElementById("problems");
const LINE = 19;
const MARGIN = 8;
const MOST_COLOURED = 4000; // lines

const text = { file: -1, line: 0 };

function loadText() {
  const { files } = model.data;
  file.replaceChildren(...files.map(({ name }, n) => new Option(name, String(n))));
  text.file = Math.min(Math.max(text.file, 0), files.length - 1);
  showFile(text.file);
  showProblems();
}

function showFile(number) {
  text.file = number;
  file.value = String(number);
  const found = model.data.files[number];
  const rows = found ? found.text.split("\n") : [];
  if (rows[rows.length - 1] === "") rows.pop();
  code.textContent = rows.join("\n");
  numbers.textContent = rows.map((_, n) => n + 1).join("\n");
  mark.hidden = true;
  colour(rows);
  for (const old of sheet.querySelectorAll(".wrong")) old.remove();
  for (const { at, severity } of model.data.problems) {
    if (!at || at[0] !== number || severity !== "error") continue;
    const wrong = element("div", "", "wrong");
    cover(wrong, at[1], at[2]);
    sheet.prepend(wrong);
  }
}

function cover(strip, first, last) {
  strip.style.top = `${MARGIN + (first - 1) * LINE}px`;
  strip.style.height = `${(last - first + 1) * LINE}px`;
}

// Keys, comments and words in colour, where the browser can do so without elements.
function colour(rows) {
  if (!window.Highlight || !CSS.highlights) return;
  for (const name of ["key", "comment", "word"]) CSS.highlights.delete(name);
  const node = code.firstChild;
  if (!node || rows.length > MOST_COLOURED) return;
  const found = { key: [], comment: [], word: [] };
  let start = 0;
  const add = (name, from, to) => {
    const range = new Range();
    range.setStart(node, start + from);
    range.setEnd(node, start + to);
    found[name].push(range);
  };
  for (const row of rows) {
    const comment = row.search(/(^|\s)#/);
    const content = comment < 0 ? row : row.slice(0, comment);
    if (comment >= 0) add("comment", comment, row.length);
    for (const match of content.matchAll(/(^\s*(?:- )?|[{,]\s*)([\w.-]+)(?=:(\s|$))/g)) add("key", match.index + match[1].length, match.index + match[0].length);
    for (const match of content.matchAll(/\b(true|false|null|\d[\d_.]*(e[+-]?\d+)?)\b/g)) add("word", match.index, match.index + match[0].length);
    start += row.length + 1;
  }
  for (const [name, ranges] of Object.entries(found)) CSS.highlights.set(name, new Highlight(...ranges));
}

function markLines(at, scroll = true) {
  mark.hidden = !at;
  if (!at) return;
  const [number, first, last] = at;
  if (number !== text.file) showFile(number);
  text.line = first;
  mark.hidden = false;
  cover(mark, first, last);
  if (scroll) showLines(at);
}

// Brings lines into view.
function showLines([number, first, last]) {
  if (number !== text.file) showFile(number);
  const [top, bottom] = [MARGIN + (first - 1) * LINE, MARGIN + last * LINE];
  if (top < lines.scrollTop || Math.min(bottom, top + 6 * LINE) > lines.scrollTop + lines.clientHeight) lines.scrollTop = Math.max(0, top - lines.clientHeight / 4);
}

// The box of a line: the smallest whose lines hold it; of several alike, one that is in the picture.
function boxOfLine(line) {
  const holds = ({ at }) => at && at[0] === text.file && at[1] <= line && line <= at[2];
  const size = ({ at }) => at[2] - at[1];
  let best = null;
  for (const { node } of drawn.values()) {
    if (!node.run && holds(node.box) && (!best || size(node.box) < size(best.box))) best = { box: node.box, path: node.path };
  }
  model.data.scopes.forEach((scope, number) => {
    for (const box of scope.boxes) {
      if (!holds(box) || (best && size(box) >= size(best.box))) continue;
      const around = pathTo(number);
      if (around) best = { box, path: [...around, nameOf(box)] };
    }
  });
  return best && best.path;
}

function goToLine(line) {
  const count = numbers.textContent.split("\n").length;
  line = Math.max(1, Math.min(count, line));
  const path = boxOfLine(line);
  if (path) goTo(path, { scroll: false });
  text.line = line;
  if (!path) markLines([text.file, line, line], false);
}

lines.addEventListener("click", (event) => {
  if (String(getSelection())) return; // the reader marks text
  const row = Math.floor((event.clientY - sheet.getBoundingClientRect().top - MARGIN) / LINE) + 1;
  goToLine(row);
  openInEditor([text.file, row, row]);
});

lines.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "Enter") goToLine(text.line || 1);
  else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const count = numbers.textContent.split("\n").length;
    const next = (text.line || 0) + (event.key === "ArrowDown" ? 1 : -1);
    const line = Math.max(1, Math.min(count, next));
    markLines([text.file, line, line]);
  } else return;
  event.preventDefault();
});

file.addEventListener("change", () => showFile(Number(file.value)));

function showProblems() {
  const found = model.data.problems;
  problems.hidden = !found.length;
  problems.replaceChildren(
    ...found.map((one) => {
      const item = element("li", "", one.severity);
      const button = element("button");
      button.type = "button";
      const where = one.at ? ` ${model.data.files[one.at[0]].name}:${one.at[1]}:${one.column}` : "";
      button.append(element("b", one.severity), `${where} ${one.message}`);
      if (one.label) button.append(element("small", one.label));
      if (one.help) button.append(element("small", `help: ${one.help}`));
      button.addEventListener("click", () => {
        if (!one.at) return;
        markLines(one.at);
        openInEditor(one.at);
      });
      item.append(button);
      return item;
    }),
  );
}
