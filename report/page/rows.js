// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// A row for each name, a mark for each value.

kinds.rows = {
  extent: spec => ({x: extentOf(spec.rows.map(row => row.values), true), y: [0, 1]}),
  draw(spec, run, domain, side, width) {
    const step = 17, top = 8, height = top + step * spec.rows.length + 34;
    const f = rowsFrame(spec, padded(domain.x, true), width, height, top, 170, 0.32);
    spec.rows.forEach((row, k) => {
      const y = top + step * (k + 0.5);
      f.svg.append("line").attr("class", "grid").attr("x1", f.margin.left).attr("x2", width - f.margin.right).attr("y1", y).attr("y2", y);
      rowName(f, y + 3.5, row.name);
      row.values.forEach((value, i) => {
        if (!(value > 0)) return;
        f.body.append("path").attr("d", d3.symbol().type(symbols[i % 6]).size(46)()).attr("fill", color(i))
            .attr("fill-opacity", 0.85).attr("transform", `translate(${f.x(value)},${y})`)
            .append("title").text(`${spec.names[i]}: ${show(value)}`);
      });
    });
    side.append(legend(spec.names.map((name, i) => ({name, color: color(i), symbol: symbols[i % 6]}))), f.svg.node());
    return f;
  },
};
