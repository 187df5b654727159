"use strict";
// Draws the flow of labels from the document in the page. The parts, in order: the tree, its places, the drawing,
// what is pointed at, what is searched, the table, and the picture that can be saved.
const flow = JSON.parse(document.getElementById("document").textContent);
const byId = (id) => document.getElementById(id);
const number = (n) => n.toLocaleString("en");
const share = (n) => { const part = (100 * n) / flow.particles; return part >= 10 ? part.toFixed(0) : part >= 0.1 ? part.toFixed(1) : "< 0.1"; };
const state = { threshold: flow.threshold, query: "", pinned: null };
const largest = Math.max(2, ...flow.paths.map((path) => path.n));
const KINDS = ["living", "detritus", "artefact", "inert", "unknown"];
const BAR = 9, LINE = 15, GAP = 2.5, TOP = 34, FULL = 640, MARGIN = 186;

flow.paths.forEach((path) => {
  path.words = [path.source, path.kind, ...path.steps.map((step) => step[1]), ...path.labels.map((label) => label[0])].join("\n").toLowerCase();
});
const matches = (path) => state.query !== "" && path.words.includes(state.query);

// The tree: kinds, and the taxa below them. Classes below the threshold are pooled, except those that are searched for;
// where even together they stay below it, they are part of the pale end of what is above them.
function tree() {
  const kinds = new Map();
  const below = (children, name, column, rank, parent) => {
    const key = `${name}\n${column}`;
    if (!children.has(key)) children.set(key, { name, column, rank, parent, n: 0, paths: [], children: new Map(), wanted: false });
    return children.get(key);
  };
  flow.paths.forEach((path) => {
    let node = below(kinds, path.kind, 1, "kind", null);
    const way = [node];
    path.steps.forEach(([column, name, rank]) => { node = below(node.children, name, column, rank, node); way.push(node); });
    const wanted = matches(path);
    way.forEach((one) => { one.n += path.n; one.paths.push(path); one.wanted ||= wanted; });
    node.id = node.id ?? path.id;
  });
  const roots = [...kinds.values()].sort((a, b) => KINDS.indexOf(a.name) - KINDS.indexOf(b.name));
  roots.forEach((root) => { prune(root); paint(root, root.name); });
  return roots;
}

function prune(node) {
  const children = [...node.children.values()].sort((a, b) => b.n - a.n);
  const small = children.filter((child) => child.n < state.threshold && !child.wanted);
  node.shown = children.filter((child) => !small.includes(child));
  if (small.reduce((sum, child) => sum + child.n, 0) >= state.threshold) {
    const pool = { name: `${small.length} smaller`, column: Math.min(...small.map((one) => one.column)), rank: "pool", parent: node,
      n: 0, paths: [], shown: [], members: small };
    small.forEach((one) => { pool.n += one.n; pool.paths.push(...one.paths); });
    node.shown.push(pool);
  }
  node.shown.forEach((child) => { if (child.rank !== "pool") prune(child); });
}

// Every phylum has a hue of its own, which all below it share.
const hues = new Map();
flow.paths.forEach((path) => {
  const phylum = path.steps.find((step) => step[0] === 3) ?? path.steps.find((step) => step[2] !== "label");
  if (phylum && !hues.has(phylum[1])) hues.set(phylum[1], `h${hues.size % 10}`);
});
function paint(node, colour) {
  node.colour = hues.get(node.name) && (node.column >= 3 || !node.shown.length) ? hues.get(node.name) : colour;
  node.shown.forEach((child) => paint(child, node.colour));
}

// Places: each node has room for its children or one line of text, whichever is more; its bar stands in the middle.
function place(roots, width) {
  const scale = FULL / flow.particles;
  const room = (node) => {
    const below = node.shown.reduce((sum, child) => sum + room(child), 0) + Math.max(0, node.shown.length - 1) * GAP;
    node.height = Math.max(1.2, node.n * scale);
    node.room = Math.max(below, node.height, LINE);
    node.below = below;
    return node.room;
  };
  const columns = flow.columns.length;
  const step = (width - MARGIN) / (columns - 1);
  const put = (node, top) => {
    node.x = node.column * step;
    node.y = top + (node.room - node.height) / 2;
    let y = top + (node.room - node.below) / 2;
    node.shown.forEach((child) => { put(child, y); y += child.room + GAP; });
  };
  let y = TOP;
  roots.forEach((root) => { room(root); put(root, y); y += root.room + 20; });
  const bottom = y - 20;
  const sources = sourcesOf(roots, scale);
  const used = sources.reduce((sum, one) => sum + Math.max(one.height, LINE), 0);
  const gap = Math.min(34, Math.max(GAP, (bottom - TOP - used) / Math.max(1, sources.length)));
  const middle = roots.reduce((sum, root) => sum + (root.y + root.height / 2) * root.n, 0) / flow.particles;
  let at = Math.max(TOP, Math.min(middle - (used + gap * (sources.length - 1)) / 2, bottom - used - gap * (sources.length - 1)));
  sources.forEach((one) => { const slot = Math.max(one.height, LINE); one.x = 0; one.y = at + (slot - one.height) / 2; at += slot + gap; });
  return { sources, bottom: Math.max(bottom, at - gap), step };
}

function sourcesOf(roots, scale) {
  const sources = new Map();
  flow.paths.forEach((path) => {
    if (!sources.has(path.source)) sources.set(path.source, { name: path.source, column: 0, rank: "collection", n: 0, paths: [], colour: "source" });
    const one = sources.get(path.source);
    one.n += path.n; one.paths.push(path);
  });
  const listed = [...sources.values()].sort((a, b) => b.n - a.n);
  listed.forEach((one) => {
    one.height = Math.max(1.2, one.n * scale);
    one.shown = roots.filter((root) => root.paths.some((path) => path.source === one.name));
  });
  return listed;
}

// Links: from a collection to its kinds, and from each taxon to those below it, stacked in order.
function linksOf(roots, sources) {
  const links = [];
  const into = new Map(roots.map((root) => [root, 0]));
  sources.forEach((source) => {
    let out = 0;
    source.shown.forEach((root) => {
      const paths = root.paths.filter((path) => path.source === source.name);
      const n = paths.reduce((sum, path) => sum + path.n, 0);
      links.push({ from: source, to: root, paths, n, out, into: into.get(root), colour: root.colour });
      out += n / source.n; into.set(root, into.get(root) + n / root.n);
    });
  });
  const down = (node) => {
    let out = 0;
    node.shown.forEach((child) => {
      links.push({ from: node, to: child, paths: child.paths, n: child.n, out, into: 0, colour: child.colour });
      out += child.n / node.n;
      down(child);
    });
    node.rest = 1 - out;
  };
  roots.forEach(down);
  return links;
}

function ribbon(link, part) {
  const of = part / link.n;
  const tall = Math.max(0.7, (link.n / link.from.n) * link.from.height * of), taller = Math.max(0.7, (link.n / link.to.n) * link.to.height * of);
  const x0 = link.from.x + BAR, x1 = link.to.x, y0 = link.from.y + link.out * link.from.height, y1 = link.to.y + link.into * link.to.height;
  const bend = (x0 + x1) / 2, f = (value) => value.toFixed(1);
  return `M${f(x0)} ${f(y0)}C${f(bend)} ${f(y0)} ${f(bend)} ${f(y1)} ${f(x1)} ${f(y1)}V${f(y1 + taller)}C${f(bend)} ${f(y1 + taller)} ${f(bend)} ${f(y0 + tall)} ${f(x0)} ${f(y0 + tall)}Z`;
}

// Drawing
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
  element("tspan", { class: italic ? "italic" : "" }, label).textContent = cut(node.name, room, italic);
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
function cut(name, width, italic) {
  pen.font = `${italic ? "italic " : ""}12px ${getComputedStyle(svg).fontFamily}`;
  if (pen.measureText(name).width <= width) return name;
  let letters = name.length - 1;
  while (letters > 4 && pen.measureText(`${name.slice(0, letters)}…`).width > width) letters -= 1;
  return `${name.slice(0, letters)}…`;
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
