// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The table of all tensors.

let order = {column: -1, down: true}, rowLimit = 100;

function spark(run, statistic, index) {
  const pair = (run.series[statistic] || [])[index];
  if (!pair) return "";
  const high = decode16(pair[pair.length - 1]), [low, top] = extentOf([high], true);
  const y = d3.scaleLog().domain(low < top ? [low, top] : [low / 2, low * 2]).range([15, 1]);
  const x = i => 1 + i * 64 / Math.max(1, high.length - 1);
  return d3.create("svg").attr("width", 66).attr("height", 16).attr("aria-hidden", "true").call(svg => svg.append("path").attr("class", "line")
      .attr("stroke", color(0)).attr("stroke-width", 1).attr("d", stroke({x, y}, Array.from(high, (_, i) => i), high, high, true))).node();
}

const sparked = ["lag", "update", "relative_step"];

function columns(run) {
  const list = [{title: "parameters", value: row => row.size}, {title: "earned", value: row => row.earned,
                 hint: "share of the predicted decrease of the loss"}];
  data.statistics.forEach((statistic, k) => {
    if (run.series[statistic.name] === undefined) return;
    list.push({title: statistic.title, hint: statistic.question, value: row => row.values[k], name: statistic.name});
  });
  return list;
}

function drawTable() {
  const box = $("#tensor-table"), run = runs[state.a], panel = run.panels.table;
  box.textContent = "";
  if (!panel || !panel.rows) return;
  const list = columns(run);
  const rows = panel.rows.map((row, index) => ({...row, index}));
  if (order.column >= 0) {
    const value = row => list[order.column] ? list[order.column].value(row) : null;
    rows.sort((a, b) => value(a) === null ? 1 : value(b) === null ? -1 : (value(a) - value(b)) * (order.down ? -1 : 1));
  }
  const head = make("tr", {}, make("th", {scope: "col"}, make("button", {type: "button", text: "tensor", onclick: () => sortBy(-1)})));
  list.forEach((column, i) => {
    const active = order.column === i;
    head.append(make("th", {scope: "col", "aria-sort": active ? (order.down ? "descending" : "ascending") : "none", title: column.hint || ""},
        make("button", {type: "button", text: column.title + (active ? (order.down ? " ↓" : " ↑") : ""), onclick: () => sortBy(i)})));
    if (sparked.includes(column.name)) head.append(make("th", {scope: "col", text: "over time"}));
  });
  const body = make("tbody");
  for (const row of rows.slice(0, rowLimit)) {
    const line = make("tr", row.name === state.tensor ? {class: "chosen"} : {}, make("th", {scope: "row"},
        make("button", {type: "button", class: "plain", text: row.name, title: `${row.name} [${row.shape.join(", ")}], group ${row.group}`,
                        onclick: () => setTensor(row.name === state.tensor ? "" : row.name)})));
    for (const column of list) {
      const value = column.value(row);
      line.append(make("td", {text: column.title === "earned" && value !== null ? `${show(100 * value)}%` : show(value)}));
      if (sparked.includes(column.name)) line.append(make("td", {}, spark(run, column.name, row.index)));
    }
    body.append(line);
  }
  box.append(make("table", {}, make("thead", {}, head), body));
  if (rows.length > rowLimit) {
    box.append(make("button", {type: "button", text: `Show all ${rows.length}`, onclick: () => {
      rowLimit = Infinity;
      drawTable();
    }}));
  }
}

function sortBy(column) {
  order = {column, down: order.column === column ? !order.down : true};
  drawTable();
  $(`#tensor-table thead th:nth-of-type(${1}) button`).focus({preventScroll: true});
}

function csv() {
  const run = runs[state.a], list = columns(run), quote = text => `"${String(text).replace(/"/g, '""')}"`;
  const head = ["tensor", "shape", ...list.map(column => column.name || column.title)];
  const lines = run.panels.table.rows.map(row => [quote(row.name), quote(row.shape.join("x")),
                                                  ...list.map(column => column.value(row) === null ? "" : column.value(row))]);
  return [head, ...lines].map(line => line.join(",")).join("\n") + "\n";
}

$("#csv").addEventListener("click", async () => {
  const done = $("#csv-done");
  try {
    await navigator.clipboard.writeText(csv());
    done.textContent = "Copied.";
  } catch (error) {
    done.textContent = "Copying is not allowed here: take it from the field.";
    const field = $("#csv-text") || done.parentNode.appendChild(make("textarea", {id: "csv-text", "aria-label": "The table as CSV"}));
    field.value = csv();
    field.select();
  }
});
