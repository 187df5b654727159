// What a person does with the page; what it then shows is written into the page for the test to read.
const seen = {};
const names = () => [...document.querySelectorAll("#flow .node")].map((one) => one.getAttribute("aria-label").split(",")[0]);
const act = (id, value) => { const one = document.getElementById(id); one.value = value; one.dispatchEvent(new Event("input")); };
const key = (name) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
addEventListener("load", () => {
  act("threshold", 0); seen.all = names();
  act("threshold", 700); seen.pooled = names(); seen.threshold = document.getElementById("threshold-value").textContent;
  act("query", "parvaf"); seen.found = document.getElementById("found").textContent; seen.searched = names();
  seen.lit = [...document.querySelectorAll("#flow .lit")].map((one) => one.getAttribute("aria-label").split(",")[0]);
  act("query", "no such thing"); seen.nothing = document.getElementById("found").textContent;
  act("query", ""); act("threshold", 0);
  document.querySelector('#flow .node[tabindex="0"]').focus({ focusVisible: true });
  for (const name of ["ArrowRight", "ArrowRight", "Enter"]) key(name);
  seen.focused = document.activeElement.getAttribute("aria-label"); seen.details = document.getElementById("details").textContent;
  key("Escape"); seen.closed = document.getElementById("details").hidden;
  seen.picture = picture();
  seen.heights = drawn.nodes.map((one) => [one.name, one.n, one.height]);
  const result = document.createElement("pre"); result.id = "seen"; result.textContent = JSON.stringify(seen); document.body.append(result);
});
