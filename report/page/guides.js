// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What lies behind and over a chart: bands, guides, marks, floors and bounds.

const guideDash = index => ["5 3", "1 3", "9 3", "2 6"][index % 4];
const within = (value, [low, high]) => value >= low && value <= high;

function backdrop(f, spec) {
  for (const band of spec.bands) {
    const [low, high] = f.y.domain();
    const from = f.y(Math.min(high, Math.max(low, band.from))), to = f.y(Math.min(high, Math.max(low, band.to)));
    if (from - to < 1) continue;
    f.body.append("rect").attr("class", "band").attr("x", f.margin.left).attr("y", to)
        .attr("width", f.width - f.margin.left - f.margin.right).attr("height", from - to);
  }
}

// What bands and guides are, for the legend.
function explained(f, spec) {
  const entries = [], [low, high] = f.y.domain();
  for (const band of spec.bands) {
    if (band.to > low && band.from < high) entries.push({name: `${band.label}: ${show(band.from)} to ${show(band.to)}`, fill: "var(--band)"});
  }
  spec.guides.filter(guide => guide.label && within(guide.at, f.y.domain())).forEach((guide, i) => {
    entries.push({name: `${guide.label}: ${show(guide.at)}`, color: "var(--soft)", dash: guideDash(i)});
  });
  return entries;
}

function foreground(f, spec) {
  const right = f.width - f.margin.right;
  spec.guides.filter(guide => within(guide.at, f.y.domain())).forEach((guide, i) => {
    const y = f.y(guide.at);
    f.body.append("line").attr("class", "guide").attr("stroke-dasharray", guideDash(i)).attr("x1", f.margin.left)
        .attr("x2", right).attr("y1", y).attr("y2", y);
  });
  for (const mark of spec.marks) {
    if (!within(mark.at, f.x.domain())) continue;
    const x = f.x(mark.at);
    f.body.append("line").attr("class", "mark").attr("x1", x).attr("x2", x).attr("y1", f.margin.top)
        .attr("y2", f.height - f.margin.bottom);
    const sign = mark.label === "skipped" ? d3.symbolCross : d3.symbolTriangle;
    f.svg.append("path").attr("class", "mark-sign").attr("d", d3.symbol().type(sign).size(34)())
        .attr("transform", `translate(${x},${f.margin.top - 2})${sign === d3.symbolCross ? " rotate(45)" : " rotate(180)"}`)
        .append("title").text(`${mark.label} at step ${mark.at}`);
  }
}

// Floors, bounds and healthy bands that change with the step; those of each rule.
function curves(f, spec, grid, end) {
  return spec.curves.flatMap((set, k) => curvesOf(f, spec, set, 2 * k, spec.curves.length > 1 ? `, ${set.rule}` : "", grid, end));
}
function curvesOf(f, spec, set, dashes, rule, grid, end) {
  const entries = [], curve = name => set[name] && decode16(set[name]);
  const x = grid.concat(end), last = values => values.length ? values[values.length - 1] : NaN;
  const steady = values => Math.abs(values[0] - last(values)) <= 0.01 * Math.abs(last(values));
  const clamp = value => Math.max(f.y.domain()[0], Math.min(f.y.domain()[1], value));
  const at = values => values.length ? (i => values[Math.min(i, values.length - 1)]) : () => NaN;
  const low = curve("low"), high = curve("high");
  if (low && high) {
    f.body.append("path").attr("class", "band").attr("d", d3.area().defined((_, i) => at(low)(i) <= at(high)(i)).x((_, i) => f.x(x[i])).y0((_, i) => f.y(clamp(at(low)(i))))
        .y1((_, i) => f.y(clamp(at(high)(i)))).curve(d3.curveStepAfter)(x));
    const words = steady(low) && steady(high) ? "" : " at the end";
    entries.push({name: `healthy${rule}: ${show(last(low))} to ${show(last(high))}${words}`, fill: "var(--band)"});
  }
  [["noise", "noise alone"], ["bound", "bound"]].forEach(([name, label], i) => {
    const values = curve(name);
    if (!values || !values.some(value => within(value, f.y.domain()))) return;
    f.body.append("path").attr("class", "guide").attr("fill", "none").attr("stroke-dasharray", guideDash(dashes + i))
        .attr("d", d3.line().defined((_, k) => isFinite(at(values)(k)) && (!spec.y.log || at(values)(k) > 0))
            .x((_, k) => f.x(x[k])).y((_, k) => f.y(at(values)(k))).curve(d3.curveStepAfter)(x));
    entries.push({name: `${label}${rule}: ${show(last(values))}${steady(values) ? "" : " at the end"}`, color: "var(--soft)", dash: guideDash(dashes + i)});
  });
  return entries;
}
