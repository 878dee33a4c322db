// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The small chart of the loss in which steps are chosen.

function drawBrush() {
  const box = $("#brush"), run = runs[state.a], spec = ((run.panels.overview || {}).charts || {}).loss;
  box.textContent = "";
  if (!spec || box.clientWidth === 0) return;
  const width = box.clientWidth, height = 56, x = d3.scaleLinear().domain([run.first_step, Math.max(run.last_step, run.first_step + 1)])
      .range([margin.left, width - margin.right]);
  const {x: xs, low, high} = lineArrays(spec, spec.lines[0], run);
  const y = (spec.y.log ? d3.scaleLog() : d3.scaleLinear()).domain(padded(extentOf([low, high], spec.y.log), spec.y.log)).range([height - 18, 2]);
  const svg = d3.create("svg").attr("class", "plot").attr("viewBox", `0 0 ${width} ${height}`).attr("width", width).attr("height", height);
  svg.append("path").attr("class", "line").attr("stroke", "var(--soft)").style("fill", low === high ? "none" : "var(--soft)")
      .attr("stroke-width", 1).attr("d", stroke({x, y}, xs, low, high, spec.y.log));
  const numbers = x.ticks(Math.max(2, width / 110));
  svg.append("g").attr("class", "axis").attr("transform", `translate(0,${height - 16})`)
      .call(d3.axisBottom(x).tickValues(numbers).tickFormat(ticksOf(numbers)).tickSizeOuter(0)).call(kept, x, width, margin.right);
  const brush = d3.brushX().extent([[margin.left, 0], [width - margin.right, height - 16]]);
  const layer = svg.append("g").call(brush);
  if (state.from !== null || state.to !== null) {
    layer.call(brush.move, [x(state.from === null ? x.domain()[0] : state.from), x(state.to === null ? x.domain()[1] : state.to)]
        .map(at => Math.max(margin.left, Math.min(width - margin.right, at))));
  }
  brush.on("end", () => {
    if (!d3.event.sourceEvent) return;
    const range = d3.event.selection && d3.event.selection.map(at => Math.round(x.invert(at)));
    setRange(range ? range[0] : null, range ? range[1] : null);
  });
  box.append(svg.node());
}
