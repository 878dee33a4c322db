// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The frame of a chart: its extent, scales and axes.

function extentOf(arrays, log) {
  let low = Infinity, high = -Infinity;
  for (const values of arrays) {
    for (let i = 0; i < values.length; ++i) {
      const value = values[i];
      if (!(Math.abs(value) < Infinity) || (log && value <= 0)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return [low, high];
}
const union = (a, b) => [Math.min(a[0], b[0]), Math.max(a[1], b[1])];

// The same for all runs that stand side by side.
function padded([low, high], log) {
  if (!(low <= high)) return log ? [0.1, 1] : [0, 1];
  if (log) {
    const room = Math.max(1.08, Math.pow(high / low, 0.05));
    return [low / room, high * room];
  }
  const room = (high - low) * 0.05 || Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

// Powers of ten, or also some of the numbers between them: as many as fit.
function logTicks(scale, wanted) {
  const [low, high] = scale.domain();
  const between = digits => scale.ticks(1000).filter(value => {
    const digit = value / Math.pow(10, Math.floor(Math.log10(value) + 1e-9));
    return digits.some(d => Math.abs(d - digit) < 1e-6);
  });
  if (high / low < 1.5) return d3.scaleLinear().domain([low, high]).ticks(wanted);
  const fitting = [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 5], [1, 3], [1]].map(between).find(list => list.length <= Math.max(3, wanted));
  if (fitting) return fitting;
  const powers = between([1]), step = Math.ceil(powers.length / wanted);
  return powers.filter((_, i) => i % step === 0);
}

// A number under the right end of an axis does not leave the picture.
function kept(axis, scale, width, room) {
  axis.selectAll("text").filter(value => scale(value) > width - room - 12).attr("text-anchor", "end").attr("x", room);
}

// As wide as the widest of these numbers is beside an axis.
function widthOf(numbers) {
  frame.pen.font = `11px ${getComputedStyle(document.body).fontFamily}`;
  return Math.max(...numbers.map(text => frame.pen.measureText(text).width));
}

// Scales and axes. The margin at the left grows where the numbers there need it. Without spec.y there is no y axis.
function frame(spec, domain, width, height, {left, right, top, bottom}) {
  const svg = d3.create("svg").attr("class", "plot").attr("viewBox", `0 0 ${width} ${height}`)
      .attr("width", width).attr("height", height).attr("role", "img");
  const scale = (axis, range, extent) => (axis.log ? d3.scaleLog() : d3.scaleLinear()).domain(extent).range(range);
  const low = height - bottom;
  let y = null;
  if (spec.y) {
    y = scale(spec.y, [low, top], domain.y);
    const ys = spec.y.log ? logTicks(y, height / 40) : y.ticks(height / 40), words = ticksOf(ys, spec.y.log);
    left = Math.max(left, Math.ceil(widthOf(ys.map(words))) + 12);
    svg.append("g").selectAll("line").data(ys).enter().append("line").attr("class", "grid")
        .attr("x1", left).attr("x2", width - right).attr("y1", y).attr("y2", y);
    svg.append("g").attr("class", "axis y").attr("transform", `translate(${left},0)`)
        .call(d3.axisLeft(y).tickValues(ys).tickFormat(words).tickSizeOuter(0)).select(".domain").remove();
    svg.append("text").attr("x", 14).attr("y", 11).text(spec.y.label);
  }
  const x = scale(spec.x, [left, width - right], domain.x);
  const xs = spec.x.log ? logTicks(x, width / 80) : x.ticks(Math.max(2, width / 90));
  svg.append("g").attr("class", "axis x").attr("transform", `translate(0,${low})`)
      .call(d3.axisBottom(x).tickValues(xs).tickFormat(ticksOf(xs, spec.x.log)).tickSizeOuter(0)).call(kept, x, width, right);
  svg.append("text").attr("x", width - right).attr("y", height - 3).attr("text-anchor", "end").text(spec.x.label);
  const id = `clip${++frame.count}`;
  svg.append("clipPath").attr("id", id).append("rect").attr("x", left).attr("y", top)
      .attr("width", width - left - right).attr("height", low - top);
  return {svg, x, y, id, width, height, margin: {left, right, top, bottom}, body: svg.append("g").attr("clip-path", `url(#${id})`)};
}
frame.count = 0;
frame.pen = document.createElement("canvas").getContext("2d");
