"use strict";
// Lays out the flow of labels from the document in the page: the tree, the places of its nodes, the links between them.
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
