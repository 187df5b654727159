// Draws what label_flow_layout.js has laid out, and answers to pointer, keys, search, threshold and buttons.
const NAMESPACE = "http://www.w3.org/2000/svg";
function element(name, attributes, parent) {
  const made = document.createElementNS(NAMESPACE, name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  parent?.append(made);
  return made;
}
const svg = byId("flow");
let drawn = { nodes: [], links: [] };

const roomWide = () => Math.max(1280, byId("stage").clientWidth - 56);

function draw() {
  const width = roomWide();
  const roots = tree();
  const { sources, bottom, step } = place(roots, width);
  const links = linksOf(roots, sources);
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${width} ${Math.ceil(bottom + 14)}`);
  svg.setAttribute("width", width);
  svg.setAttribute("height", Math.ceil(bottom + 14));
  flow.columns.forEach((name, column) => { element("text", { class: "head", x: column * step, y: 12 }, svg).textContent = name; });
  const under = element("g", {}, svg);
  links.forEach((link) => { element("path", { class: `link c-${link.colour}`, d: ribbon(link, link.n) }, under); });
  const nodes = [...sources];
  const walk = (node) => { nodes.push(node); node.shown.forEach(walk); };
  roots.forEach(walk);
  nodes.filter((node) => node.column > 0 && node.shown.length && node.rest * node.height > 0.8).forEach((node) => {
    element("rect", { class: `end c-${node.colour}`, x: node.x + BAR, y: node.y + (1 - node.rest) * node.height, width: 16, height: node.rest * node.height }, under);
  });
  svg.append(element("g", { id: "lit" }));
  nodes.forEach((node) => drawNode(node, step));
  drawn = { nodes, links, width };
  search();
}

function drawNode(node, step) {
  const kind = node.rank === "pool" ? "pool" : node.rank === "label" ? "label" : "";
  const hit = state.query && node.rank !== "pool" && (node.name.toLowerCase().includes(state.query) || (!node.shown.length && node.wanted));
  const group = element("g", { class: `node ${kind} ${hit ? "hit" : ""}`, tabindex: -1, role: "button",
    "aria-label": `${node.name}, ${said(node)}, ${number(node.n)} particles` }, svg);
  // To the right of a node without children its line is free; else its name goes before its number.
  const free = node.shown.length ? step - BAR - 8 : MARGIN + step * (flow.columns.length - 1 - node.column) - BAR - 5;
  element("rect", { class: "ring", x: node.x - 2.5, y: node.y - 2.5, width: BAR + 5, height: node.height + 5, rx: 4 }, group);
  element("rect", { class: `c-${node.colour}`, x: node.x, y: node.y, width: BAR, height: node.height, rx: Math.min(2, node.height / 2) }, group);
  element("rect", { x: node.x, y: node.y + node.height / 2 - LINE / 2, width: step * 0.9, height: LINE, fill: "transparent" }, group);
  const label = element("text", { x: node.x + BAR + 5, y: node.y + node.height / 2 + 4 }, group);
  const italic = node.rank === "genus" || node.rank === "species";
  const told = node.height > 11 || !node.shown.length || node.column === 0 ? short(node.n) : "";
  const whole = cut(node.name, free - told.length * 6 - 5, italic) === node.name;
  const amount = whole || !node.shown.length ? told : "";
  const room = free - (amount ? amount.length * 6 + 5 : 0);
  element("tspan", { class: italic ? "italic" : "" }, label).textContent = cut(node.name, room, italic, node.column === 0);
  if (amount) element("tspan", { class: "amount", dx: 5 }, label).textContent = amount;
  node.element = group;
  group.addEventListener("pointerenter", (event) => { if (!state.pinned) light(node, event); });
  group.addEventListener("pointermove", (event) => { if (!state.pinned) stand(event.clientX, event.clientY); });
  group.addEventListener("pointerleave", () => { if (!state.pinned) search(); });
  group.addEventListener("click", (event) => { pin(node, event); event.stopPropagation(); });
  group.addEventListener("focus", () => { if (!state.pinned && group.matches(":focus-visible")) light(node, null); });
  group.addEventListener("keydown", (event) => walkKeys(node, event));
}

const said = (node) => ({ pool: "pooled classes", label: "label without a taxon" })[node.rank] ?? node.rank;
const short = (n) => (n >= 9.95e5 ? `${(n / 1e6).toFixed(n < 9.95e6 ? 1 : 0)} M` : n >= 9950 ? `${(n / 1000).toFixed(0)} k` : n >= 995 ? `${(n / 1000).toFixed(1)} k` : `${n}`);
const pen = document.createElement("canvas").getContext("2d");
function cut(name, width, italic, within) {
  pen.font = `${italic ? "italic " : ""}12px ${getComputedStyle(svg).fontFamily}`;
  const fits = (text) => pen.measureText(text).width <= width;
  if (fits(name)) return name;
  // Names of collections often differ at their end alone: the middle goes.
  const shorter = (letters) => (within ? `${name.slice(0, Math.ceil(letters / 2))}…${name.slice(name.length - Math.floor(letters / 2))}` : `${name.slice(0, letters)}…`);
  let letters = name.length - 1;
  while (letters > 4 && !fits(shorter(letters))) letters -= 1;
  return shorter(letters);
}

// What is pointed at: its particles are lit all the way, and told in a card.
function lightPaths(paths, around) {
  const lit = byId("lit");
  lit.replaceChildren();
  svg.classList.toggle("focused", paths !== null);
  drawn.nodes.forEach((node) => node.element.classList.remove("lit"));
  if (paths === null) return;
  drawn.links.forEach((link) => {
    const part = link.paths.reduce((sum, path) => sum + (paths.has(path) ? path.n : 0), 0);
    if (part) element("path", { class: `lit-link c-${link.colour}`, d: ribbon(link, part) }, lit);
  });
  drawn.nodes.forEach((node) => { if (around(node)) node.element.classList.add("lit"); });
}

function light(node, event) {
  const paths = new Set(node.paths);
  lightPaths(paths, (other) => other.paths.some((path) => paths.has(path)));
  const box = node.element.getBoundingClientRect();
  tell(node);
  stand(event ? event.clientX : box.right, event ? event.clientY : box.top + box.height / 2);
}

function tell(node) {
  const card = byId("details");
  card.hidden = false;
  card.classList.toggle("pinned", state.pinned === node);
  const add = (name, text, kind) => { const made = document.createElement(name); made.textContent = text; if (kind) made.className = kind; card.append(made); return made; };
  card.replaceChildren();
  add("h2", node.name).style.fontStyle = node.rank === "genus" || node.rank === "species" ? "italic" : "";
  add("p", said(node) + (node.id && !node.shown.length ? ` · AphiaID ${node.id}` : ""), "what");
  const amount = add("div", number(node.n), "number");
  amount.append(Object.assign(document.createElement("small"), { textContent: ` particles · ${share(node.n)} %` }));
  const list = (title, rows, most, bars) => {
    if (!rows.length) return;
    add("h3", title);
    const ul = add("ul", "");
    rows.slice(0, most).forEach(([name, n]) => {
      const li = document.createElement("li");
      li.append(Object.assign(document.createElement("span"), { textContent: name }), Object.assign(document.createElement("span"), { textContent: number(n) }));
      if (bars) { const bar = document.createElement("i"); bar.className = "bar"; bar.style.width = `${Math.max(1, (100 * n) / rows[0][1])}%`; li.append(bar); }
      ul.append(li);
    });
    if (rows.length > most) add("p", `and ${number(rows.length - most)} more`, "hint");
  };
  if (node.column > 0) list("collections", totals(node.paths.map((path) => [path.source, path.n])), 6, true);
  if (node.members) list("pooled", node.members.map((one) => [one.name, one.n]), 8, false);
  list("raw labels", totals(node.paths.flatMap((path) => path.labels)), 8, false);
  add("p", state.pinned === node ? "Escape lets go." : "Click to hold.", "hint");
}

function totals(pairs) {
  const sums = new Map();
  pairs.forEach(([name, n]) => sums.set(name, (sums.get(name) ?? 0) + n));
  return [...sums].sort((a, b) => b[1] - a[1]);
}

function stand(x, y) {
  const card = byId("details"), box = card.getBoundingClientRect();
  const left = x + 22 + box.width > innerWidth ? x - box.width - 22 : x + 22;
  card.style.left = `${Math.max(8, left)}px`;
  card.style.top = `${Math.max(8, Math.min(y - 30, innerHeight - box.height - 8))}px`;
}

function pin(node, event) {
  state.pinned = state.pinned === node ? null : node;
  if (state.pinned) light(node, event); else search();
}
function release() { state.pinned = null; search(); }
document.addEventListener("click", (event) => { if (state.pinned && !byId("details").contains(event.target)) release(); });
document.addEventListener("keydown", (event) => { if (event.key === "Escape") release(); });

function walkKeys(node, event) {
  const column = drawn.nodes.filter((one) => one.column === node.column).sort((a, b) => a.y - b.y);
  const at = column.indexOf(node);
  const parent = node.parent ?? (node.column === 1 ? drawn.nodes.find((one) => one.column === 0 && one.shown.includes(node)) : null);
  const next = { ArrowDown: column[at + 1], ArrowUp: column[at - 1], ArrowRight: node.shown[0], ArrowLeft: parent, Home: column[0], End: column.at(-1) }[event.key];
  if (event.key === "Enter" || event.key === " ") { pin(node, null); event.preventDefault(); }
  if (!next) return;
  event.preventDefault();
  state.pinned = null;
  reach(next);
  next.element.focus({ focusVisible: true });
  next.element.scrollIntoView({ block: "nearest", inline: "nearest" });
}
function reach(node) {
  drawn.nodes.forEach((one) => one.element.setAttribute("tabindex", one === node ? 0 : -1));
}

// What is searched, and what is pooled
function search() {
  byId("details").hidden = true;
  if (drawn.nodes.length) reach(drawn.nodes[0]);
  const found = state.query ? flow.paths.filter(matches) : null;
  lightPaths(found?.length ? new Set(found) : null, (node) => node.paths.some((path) => matches(path)));
  const ends = new Set((found ?? []).map((path) => path.kind + path.steps.map((step) => step[1]).join("/")));
  byId("found").textContent = !found ? `${number(drawn.nodes.filter((node) => node.column > 0 && !node.shown.length).length)} classes shown.`
    : found.length ? `${number(ends.size)} ${ends.size === 1 ? "class" : "classes"} found, ${number(found.reduce((sum, path) => sum + path.n, 0))} particles.`
    : "Nothing found.";
}

const toSlider = (n) => Math.round((1000 * Math.log(n)) / Math.log(largest));
const fromSlider = (value) => rounded(Math.exp((value / 1000) * Math.log(largest)));
const rounded = (n) => { const digits = 10 ** Math.max(0, Math.floor(Math.log10(n)) - 1); return Math.max(1, Math.round(n / digits) * digits); };
function pool(threshold) {
  state.threshold = threshold;
  byId("threshold-value").textContent = threshold === 1 ? "nothing" : number(threshold);
  byId("threshold").setAttribute("aria-valuetext", `${number(threshold)} particles`);
  state.pinned = null;
  draw();
}

byId("query").addEventListener("input", (event) => { state.query = event.target.value.trim().toLowerCase(); state.pinned = null; draw(); });
byId("threshold").addEventListener("input", (event) => pool(fromSlider(Number(event.target.value))));
addEventListener("resize", () => { if (roomWide() !== drawn.width) { state.pinned = null; draw(); } });
byId("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});

// The table
document.querySelector(".as-table").addEventListener("toggle", () => {
  if (byId("table").childElementCount) return;
  const table = document.createElement("table");
  const row = (cells, name) => { const tr = table.insertRow(); cells.forEach((cell, place) => {
    const made = document.createElement(name); made.textContent = cell; if (place === 3) made.className = "n"; tr.append(made); }); };
  row(["collection", "kind", "taxon", "particles", "raw labels"], "th");
  flow.paths.forEach((path) => row([path.source, path.kind, path.steps.map((step) => step[1]).join(" › "), number(path.n),
    path.labels.map((label) => label[0]).join(", ") + (path.more ? ` and ${path.more} more` : "")], "td"));
  byId("table").append(table);
});

// The picture that can be saved: a copy whose colours stand in the picture itself
function picture() {
  const copy = svg.cloneNode(true);
  const theirs = [...svg.querySelectorAll("*")], ours = [...copy.querySelectorAll("*")];
  ours.forEach((one, place) => {
    const look = getComputedStyle(theirs[place]);
    ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-linejoin", "paint-order", "opacity", "font-size", "font-style", "font-weight", "letter-spacing"].forEach((name) => one.setAttribute(name, look.getPropertyValue(name)));
    ["tabindex", "role", "aria-label", "class"].forEach((name) => one.removeAttribute(name));
  });
  copy.setAttribute("xmlns", NAMESPACE);
  copy.setAttribute("font-family", "system-ui, sans-serif");
  const [, , wide, tall] = svg.getAttribute("viewBox").split(" ").map(Number);
  const edge = { x: -20, y: -14, width: wide + 40, height: tall + 28 };
  copy.setAttribute("viewBox", Object.values(edge).join(" "));
  copy.setAttribute("width", edge.width);
  copy.setAttribute("height", edge.height);
  copy.prepend(element("rect", { ...edge, fill: getComputedStyle(document.body).backgroundColor }));
  return new XMLSerializer().serializeToString(copy);
}
byId("export").addEventListener("click", () => {
  const address = URL.createObjectURL(new Blob([picture()], { type: "image/svg+xml" }));
  Object.assign(document.createElement("a"), { href: address, download: `${flow.title}.svg` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
});

byId("threshold").value = toSlider(state.threshold);
pool(state.threshold);
