// The card with what is known of one box.

const card = document.getElementById("details");

function element(tag, text = "", className = "") {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

// Numbers in groups of three, products with dots.
const readable = (formula) =>
  formula.replace(/\d{5,}/g, (digits) => BigInt(digits).toLocaleString("en")).replace(/ \* /g, " · ");

// In how many copies of the blocks around it a box is, where that is one number.
function copiesAround(path) {
  let copies = 1;
  for (let length = 2; length < path.length; length += 1) copies *= boxAt(path.slice(0, length)).count || 1;
  return copies > 1 ? `in each of ${copies.toLocaleString("en")} copies` : "";
}

function showDetails(path) {
  const box = path && boxAt(path);
  card.hidden = !box;
  if (!box) return;
  const head = element("h2", titleOf(path));
  if (box.caption && box.caption[2]) head.append(" ", element("em", box.caption[2]));
  const list = element("dl");
  const add = (name, ...values) => {
    const value = element("dd");
    for (const one of values) if (one) value.append(typeof one === "string" ? element("small", one) : one);
    list.append(element("dt", name), value);
  };
  const kind = box.kind === "input" || box.kind === "output" ? box.kind : box.op;
  if (kind) add(opens(box) ? "block" : box.op ? "op" : "kind", element("span", kind + (box.op && box.kind !== "block" ? argumentsOf(box) : "")));
  for (const [port, type, names] of box.types || []) add(port || "type", element("code", type), names && element("code", names));
  if (box.parameters) add("parameters", element("span", box.parameters), box.formula && readable(box.formula), copiesAround(path));
  if (box.flops) add("FLOPs", element("span", readable(box.flops)), box.parameters ? "" : copiesAround(path));
  if (box.at) {
    const [file, first, last] = box.at;
    add("place", placeOf(model.data.files[file], first, last));
  }
  card.replaceChildren(head);
  if (box.text) card.append(element("p", box.text));
  if (box.error) card.append(element("p", box.error, "fault"));
  card.append(list);
}

// What the box says beside the op's name.
function argumentsOf(box) {
  const detail = (box.caption && box.caption[1]) || "";
  if (!detail || detail === box.op) return "";
  return " " + (detail.startsWith(box.op + " ") ? detail.slice(box.op.length + 1) : detail);
}

function placeOf({ name, link }, first, last) {
  const place = element(link ? "a" : "span", `${name}:${first}${last > first ? `–${last}` : ""}`);
  if (link) Object.assign(place, { href: `${link}#L${first}`, target: "_blank", rel: "noreferrer" });
  return place;
}
