// A page that its server keeps up to date: the picture follows the files as they are saved, and stays in place.

const notice = document.getElementById("notice");
const live = { version: model.data.version, started: model.data.networks.length > 0, editor: false, asking: false, again: false };

function tell(...parts) {
  notice.replaceChildren(...parts);
  notice.hidden = !parts.length;
}

// The box that stays where it is: the chosen one, or one in the middle.
function anchor() {
  const chosen = drawn.get(view.selected);
  if (chosen) return view.selected;
  const [x, y] = [(canvas.clientWidth / 2 - view.x) / view.scale, (canvas.clientHeight / 2 - view.y) / view.scale];
  let best = null;
  let least = Infinity;
  for (const [key, one] of drawn) {
    const distance = Math.hypot(one.x + one.node.width / 2 - x, one.y - y);
    if (distance < least) [best, least] = [key, distance];
  }
  return best;
}

function keepInPlace(key, before) {
  const after = drawn.get(key);
  if (!before || !after) return;
  view.x += (before.x - after.x) * view.scale;
  view.y += (before.y - after.y) * view.scale;
  place();
}

function renew(data) {
  const key = anchor();
  const found = drawn.get(key);
  const before = found && { x: found.x, y: found.y };
  const scrolled = lines.scrollTop;
  const known = problemPlaces();
  show(data);
  if (!live.started && data.networks.length) {
    for (const path of data.open) setOpen(path, true);
    live.started = true;
    redraw();
    fit(false);
  } else {
    redraw();
    keepInPlace(key, before);
  }
  lines.scrollTop = scrolled;
  const chosen = selectedPath();
  if (chosen) select(chosen, { scroll: false });
  else if (view.selected) select(null);
  showState(data);
  const first = data.problems.find((one) => one.severity === "error" && one.at);
  if (first && !known.has(String(first.at))) showLines(first.at);
}

const problemPlaces = () => new Set(model.data.problems.map((one) => String(one.at)));

function showState(data) {
  document.body.classList.toggle("old", Boolean(data.old));
  const first = data.problems.find((one) => one.severity === "error");
  if (!first) return tell();
  const where = first.at ? `${data.files[first.at[0]].name}:${first.at[1]}: ` : "";
  const old = data.old && data.networks.length ? " The diagram is that of the last text without this error." : "";
  tell(element("b", "error"), ` ${where}${first.message}.${old}`);
}

// One question at a time; a change meanwhile is asked for afterwards.
async function update() {
  if (live.asking) {
    live.again = true;
    return;
  }
  live.asking = true;
  do {
    live.again = false;
    await ask();
  } while (live.again);
  live.asking = false;
}

async function ask() {
  const answer = await fetch("data").catch(() => null); // the events say when the server is gone
  if (!answer || !answer.ok) return;
  const data = await answer.json();
  live.editor = data.editor;
  if (data.version === live.version) return;
  live.version = data.version;
  renew(data);
}

openInEditor = (at) => {
  if (!live.editor || !at) return;
  fetch("open", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ file: at[0], line: at[1] }) }).catch(() => null);
};

const changes = new EventSource("changes");
changes.addEventListener("message", ({ data }) => {
  if (data === "end") {
    changes.close();
    tell("The server has ended; this page no longer follows the file.");
  } else update();
});
changes.addEventListener("error", () => tell("The server does not answer; this page does not follow the file."));
changes.addEventListener("open", () => showState(model.data));
showState(model.data);
