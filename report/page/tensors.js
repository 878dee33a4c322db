// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A statistic of all tensors: the crowd in grey, some with their names.

kinds.tensors = {
  rows(spec, run) {
    const list = run.series[spec.statistic] || [];
    return list.map((pair, i) => pair && {
      index: i, name: run.panels.table.rows[i].name, rule: run.panels.table.rows[i].rule,
      low: decode16(pair[0]), high: decode16(pair[pair.length - 1]),
    }).filter(row => row);
  },
  extent(spec, run) {
    const x = stepDomain(), grid = decode32(run.tensor_grid[0]);
    const y = extentOf(this.rows(spec, run).flatMap(row => [part(grid, row.low, x), part(grid, row.high, x)]), spec.y.log);
    // All of a floor, and of a bound if it is near.
    const [noise, bound] = ["noise", "bound"].map(name => extentOf(
        spec.curves.filter(set => set[name]).map(set => part(grid, decode16(set[name]), x)), spec.y.log));
    return {x, y: union(union(y, noise), bound[1] < 10 * y[1] ? bound : [Infinity, -Infinity])};
  },
  draw(spec, run, domain, side, width, wide) {
    const f = frame(spec, {x: domain.x, y: padded(domain.y, spec.y.log)}, width, sizeOf(width, wide), margin);
    const grid = decode32(run.tensor_grid[0]), rows = this.rows(spec, run);
    const guides = curves(f, spec, Array.from(grid), run.last_step);
    const named = row => row.name === state.tensor ? 2 : spec.highlight.includes(row.index) ? 1 : 0;
    const entries = [];
    const path = row => stroke(f, grid, row.low, row.high, spec.y.log);
    const crowd = rows.filter(row => !named(row));
    for (const single of [true, false]) {
      const d = crowd.filter(row => (row.low === row.high) === single).map(path).join("");
      if (d) f.body.append("path").attr("class", single ? "crowd line" : "crowd").attr("d", d);
    }
    rows.filter(named).sort((a, b) => named(a) - named(b)).forEach((row, i) => {
      const picked = named(row) === 2, tint = picked ? "var(--ink)" : color(i);
      f.body.append("path").attr("stroke", tint).attr("stroke-width", picked ? 2.2 : 1.4)
          .attr("stroke-dasharray", picked ? null : dash(i)).attr("fill", row.low === row.high ? "none" : tint)
          .attr("fill-opacity", 0.25).attr("d", path(row));
      entries.push({name: row.name, color: tint, dash: picked ? null : dash(i)});
    });
    if (rows.length > entries.length) {
      entries.push({name: `${rows.length - entries.length} more`, color: "var(--faint)", width: 3});
    }
    side.append(legend([...entries, ...guides]), f.svg.node());
    readout(f, side, at => `step ${show(grid[at])}: ` + rows.filter(row => named(row)).slice(0, 5)
        .map(row => `${row.name} ${show(row.high[at])}`).join(", "), Array.from(grid));
    return f;
  },
};
