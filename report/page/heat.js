// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Tensor by time. What is above the healthy band is orange, below it blue.

kinds.heat = {
  rows: (spec, run) => kinds.tensors.rows(spec, run),
  extent: () => ({x: stepDomain(), y: [0, 1]}),
  draw(spec, run, domain, side, width) {
    const rows = this.rows(spec, run);
    const from = decode32(run.tensor_grid[0]), to = decode32(run.tensor_grid[1]);
    const cell = Math.max(2, Math.min(16, 480 / rows.length));
    const height = Math.round(cell * rows.length) + 40;
    const f = rowsFrame(spec, domain.x, width, height, 6, 150, 0.28), start = f.margin.top;
    // 0 at the middle of the healthy band, ±1 at its edges, ±2 where colour ends: as far again.
    const bands = new Map(spec.curves.filter(set => set.low).map(set => [set.rule, [decode16(set.low), decode16(set.high)]]));
    const edges = (rule, i) => {
      const [low, high] = bands.get(rule) || [[], []];
      return isFinite(low[i]) ? [low[i], high[i]] : [0.5, 2];
    };
    const place = (value, rule, i) => {
      const [bottom, top] = edges(rule, i), middle = Math.sqrt(bottom * top);
      return Math.max(-2, Math.min(2, Math.log(value / middle) / Math.log(top / middle)));
    };
    const style = getComputedStyle(document.documentElement);
    const [blue, neutral, orange] = ["--c0", "--neutral", "--c1"].map(name => style.getPropertyValue(name).trim());
    const paint = d3.scaleLinear().domain([-2, -0.6, 0.6, 2]).range([blue, neutral, neutral, orange]).clamp(true);
    const shades = d3.range(129).map(k => d3.rgb(paint(k / 32 - 2)));
    const canvas = document.createElement("canvas");
    canvas.width = from.length;
    canvas.height = rows.length;
    const context = canvas.getContext("2d"), pixels = context.createImageData(from.length, rows.length);
    const worst = [];
    rows.forEach((row, k) => {
      let peak = {place: 1};
      for (let i = 0; i < from.length; ++i) {
        const bottom = place(row.low[i], row.rule, i), top = place(row.high[i], row.rule, i);
        if (!(top >= bottom)) continue;
        const shade = shades[Math.round(32 * ((Math.abs(top) >= Math.abs(bottom) ? top : bottom) + 2))];
        const at = 4 * (k * from.length + i);
        pixels.data[at] = shade.r;
        pixels.data[at + 1] = shade.g;
        pixels.data[at + 2] = shade.b;
        pixels.data[at + 3] = 255;
        if (top > peak.place) peak = {place: top, value: row.high[i], i, k, name: row.name};
      }
      if (peak.place > 1) worst.push(peak);
    });
    context.putImageData(pixels, 0, 0);
    const end = to[to.length - 1] + (from.length > 1 ? (from[1] - from[0]) : 1);
    f.body.append("image").attr("x", f.x(from[0])).attr("y", start).attr("width", Math.max(1, f.x(end) - f.x(from[0])))
        .attr("height", cell * rows.length).attr("preserveAspectRatio", "none").attr("href", canvas.toDataURL());
    const every = Math.ceil(12 / cell);
    rows.forEach((row, k) => {
      if (k % every === 0 || row.name === state.tensor) rowName(f, start + cell * (k + 0.5) + 3.5, row.name);
    });
    worst.sort((a, b) => b.place - a.place || b.value - a.value).slice(0, 5).forEach(spot => {
      if (!within(from[spot.i], domain.x)) return;
      f.svg.append("path").attr("d", d3.symbol().type(d3.symbolTriangle).size(44)()).attr("fill", "var(--ink)")
          .attr("stroke", "var(--paper)").attr("transform", `translate(${f.x(from[spot.i])},${start + cell * (spot.k + 0.5)})`)
          .append("title").text(`${spot.name}: ${show(spot.value)} at step ${show(from[spot.i])}`);
    });
    const entries = spec.curves.flatMap(({rule}) => {
      const [bottom, top] = edges(rule, from.length - 1), moving = Math.abs(edges(rule, 0)[0] - bottom) <= 0.01 * bottom ? "" : " at the end";
      const of = spec.curves.length > 1 ? `, ${rule}` : "";
      return [{name: `${show(bottom * Math.sqrt(bottom / top))} and less${moving}${of}`, fill: blue},
              {name: `healthy: ${show(bottom)} to ${show(top)}${moving}${of}`, fill: neutral},
              {name: `${show(top * Math.sqrt(top / bottom))} and more${moving}${of}`, fill: orange}];
    });
    if (worst.length) entries.push({name: "highest", color: "var(--ink)", symbol: d3.symbolTriangle});
    side.append(legend(entries), f.svg.node());
    let row = 0;
    f.svg.node().addEventListener("mousemove", event => {
      const box = f.svg.node().getBoundingClientRect();
      row = Math.max(0, Math.min(rows.length - 1, Math.floor(((event.clientY - box.top) * f.width / box.width - start) / cell)));
    });
    f.svg.node().addEventListener("keydown", event => {
      const by = {ArrowUp: -1, ArrowDown: 1}[event.key];
      if (!by) return;
      event.preventDefault();
      row = Math.max(0, Math.min(rows.length - 1, row + by));
    });
    readout(f, side, at => `${rows[row].name}, steps ${show(from[at])} to ${show(to[at])}: ` +
        `${show(rows[row].low[at])} to ${show(rows[row].high[at])}`, Array.from(from));
    return f;
  },
};
