// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// All runs, one beside the other.

function drawRuns() {
  if (runs.length < 2) return;
  const results = runs.some(run => run.result);
  const columns = [["run", ""], ["rule", "wide"], ["steps", "wide"], ["loss", ""], ...(results ? [["loss noted at the end", "wide"]] : []), ["lights", ""]];
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...columns.map(([text, kind]) => make("th", {scope: "col", class: kind, text})))));
  const groups = d3.nest().key(run => run.workload).entries(runs);
  for (const group of groups) {
    const body = make("tbody");
    if (groups.length > 1 || group.key) body.append(make("tr", {}, make("th", {colspan: columns.length, scope: "colgroup", text: group.key || "no workload noted"})));
    for (const run of group.values) {
      const lights = (run.panels.health || {}).lights || [];
      body.append(make("tr", run === runs[state.a] || run === runs[state.b] ? {class: "chosen"} : {},
          make("td", {}, make("button", {type: "button", class: "plain", text: run.name, onclick: () => {
            state.a = runs.indexOf(run);
            if (state.b === state.a) state.b = -1;
            drawAll();
          }})),
          make("td", {class: "wide", text: run.rule}), make("td", {class: "wide", text: run.last_step}), make("td", {text: run.loss}),
          ...(results ? [make("td", {class: "wide", text: run.result || "–"})] : []),
          make("td", {}, ...lights.map(light => make("span", {class: `state ${light.state}`, title: `${light.name}: ${words[light.state].slice(2)}`,
                                                              text: words[light.state][0] + " "})))));
    }
    table.append(body);
  }
  $("#run-table").textContent = "";
  $("#run-table").append(make("div", {class: "scroll"}, table));

  // Their losses, of the runs on the workload that is shown.
  const family = runs.filter(run => run.workload === runs[state.a].workload).slice(0, 24);
  const lines = family.map(run => {
    const spec = ((run.panels.overview || {}).charts || {}).loss;
    return spec && {...spec.lines[0], x: run.overview_grid, name: run.name};
  }).filter(line => line);
  const node = $("#run-losses");
  if (lines.length) {
    figure(node, "runs", [{run: runs[state.a], spec: {kind: "lines", title: `Loss of ${lines.length} runs${runs[state.a].workload ? " on " + runs[state.a].workload : ""}`,
        x: {label: "step", log: false, steps: false}, y: runs[state.a].panels.overview.charts.loss.y, bands: [], guides: [], marks: [], lines}}]);
  }
}
