// Sizes of boxes, from the widths of their texts in the fonts that this browser has.

const FONT = getComputedStyle(document.body).fontFamily;
const pen = document.createElement("canvas").getContext("2d");
const widths = new Map();

function textWidth(text, size, weight = 400) {
  const key = weight + " " + size + " " + text;
  let width = widths.get(key);
  if (width === undefined) {
    pen.font = `${weight} ${size}px ${FONT}`;
    width = pen.measureText(text).width;
    widths.set(key, width);
  }
  return width;
}

const STYLES = { name: [12, 620], detail: [11, 400], badge: [12, 650], below: [11, 400] };
const partWidth = ([text, style]) => textWidth(text, ...STYLES[style]);
const GAP = 7;

function rowWidth(row) {
  return row.reduce((sum, part) => sum + partWidth(part), 0) + GAP * (row.length - 1);
}

// A text in lines of about so many characters, broken at spaces and after commas and dots.
function wrapped(text, most, lines = 3) {
  const found = [""];
  for (const word of text.split(/(?<=\s)|(?<=[·,_.])/)) {
    const last = found[found.length - 1];
    if (last && (last + word).trimEnd().length > most && found.length < lines) found.push(word);
    else found[found.length - 1] = last + word;
  }
  return found.map((line) => (line.trim().length > most + 24 ? line.trim().slice(0, most + 23) + "…" : line.trim()));
}

// The rows of a caption: name, details and badge on one row, or the details below.
function rowsOf([name, detail, badge, ...lines]) {
  const head = [[name, "name"]];
  const below = [];
  if (detail && name.length + detail.length > 34) below.push(...wrapped(detail, 42));
  else if (detail) head.push([detail, "detail"]);
  if (badge && badge.length > 26) below.push(...wrapped(badge, 42).map((line) => [line, "badge"]));
  else if (badge) head.push([badge, "badge"]);
  const parts = [...below, ...lines].map((line) => [Array.isArray(line) ? line : [line, "below"]]);
  return [head.filter(([text]) => text), ...parts].filter((row) => row.length);
}

const ROW = 16;
const FOLD = 20;

function sizeOf(box) {
  if (box.kind === "join") return { rows: [[[box.caption[0], "name"]]], width: 26, height: 26 };
  const rows = rowsOf(box.caption);
  const bare = box.kind === "input" || box.kind === "output";
  const width = Math.max(...rows.map(rowWidth)) + (bare ? 12 : 24) + (opens(box) ? FOLD : 0);
  return { rows, width: Math.max(width, bare ? 20 : 64), height: rows.length * ROW + (bare ? 6 : 13) };
}
