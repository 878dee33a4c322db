// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The page as a whole: what is shown, and drawing it.

const sections = all("section[data-panel]");

function fillToolbar() {
  const tensors = new Set(shown().flatMap(run => ((run.panels.table || {}).rows || []).map(row => row.name)));
  if (!tensors.has(state.tensor)) state.tensor = "";
  const select = $("#tensor");
  select.textContent = "";
  select.append(make("option", {value: "", text: "those that stand out"}), ...[...tensors].map(name => make("option", {value: name, text: name})));
  select.value = state.tensor;
  if (runs.length > 1) {
    $("#run-a").value = state.a;
    $("#run-b").value = state.b;
  }
}

function drawAll() {
  if (runs.length) fillToolbar();
  // One panel after the other, so that the first can be seen at once.
  const work = runs.length ? [drawRuns, ...sections.map(section => () => drawPanel(section)), drawClaims] : [drawClaims];
  const turn = ++drawAll.turn;
  const next = () => {
    if (turn !== drawAll.turn) return;
    if (!work.length) {
      document.documentElement.dataset.drawn = Math.round(performance.now() - started);
      document.documentElement.dataset.ready = Math.round(performance.now());
      return;
    }
    work.shift()();
    setTimeout(next);
  };
  next();
}
drawAll.turn = 0;

function setRange(from, to) {
  state.from = from;
  state.to = to;
  $("#from").value = from === null ? "" : from;
  $("#to").value = to === null ? "" : to;
  drawAll();
}
function setTensor(name) {
  state.tensor = name;
  drawAll();
}

$("#version").textContent = `adamant ${data.version}`;
$("#subtitle").textContent = [runs.length && `${runs.length} run${runs.length > 1 ? "s" : ""}`,
                              runs.length === 1 && `${runs[0].rule}, ${runs[0].logged} logged steps`,
                              data.claims.length && `${data.claims.length} claim${data.claims.length > 1 ? "s" : ""}`].filter(x => x).join(", ");
if (runs.length < 2) all(".runs-only").forEach(node => node.remove());
if (!runs.length) {
  $("#toolbar").remove();
  sections.forEach(section => section.remove());
}
sections.forEach((section, i) => {
  section.id = section.dataset.panel;
  $("h2", section).prepend(make("span", {class: "number", text: i + 1}));
  if (runs.length) $("#contents").append(make("a", {href: `#${section.id}`, text: `${i + 1} ${section.dataset.short}`}));
});
if (data.claims.length && runs.length) $("#contents").append(make("a", {href: "#claims", text: "Claims"}));
if (runs.length) {
  if (runs.length > 1) {
    runs.forEach((run, i) => {
      $("#run-a").append(make("option", {value: i, text: run.name}));
      $("#run-b").append(make("option", {value: i, text: run.name}));
    });
    $("#run-b").prepend(make("option", {value: -1, text: "none"}));
    $("#run-a").addEventListener("change", event => { state.a = +event.target.value; drawAll(); });
    $("#run-b").addEventListener("change", event => { state.b = +event.target.value; drawAll(); });
    $("#run-b").value = -1;
  }
  const number = id => $(id).value === "" ? null : +$(id).value;
  for (const id of ["#from", "#to"]) $(id).addEventListener("change", () => setRange(number("#from"), number("#to")));
  $("#whole").addEventListener("click", () => setRange(null, null));
  $("#tensor").addEventListener("change", event => setTensor(event.target.value));
  $("#toolbar").addEventListener("submit", event => event.preventDefault());
}
let resized, lastWidth = window.innerWidth;
window.addEventListener("resize", () => {
  if (window.innerWidth === lastWidth) return;
  lastWidth = window.innerWidth;
  clearTimeout(resized);
  resized = setTimeout(drawAll, 150);
});
window.matchMedia("(prefers-color-scheme: dark)").addListener(drawAll);
window.addEventListener("beforeprint", () => all("details").forEach(fold => { fold.open = fold.id !== "glossary" || runs.length > 0; }));
drawAll();
