// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Histograms one above the other.

kinds.ridge = {
  ranges(spec) {
    // Bin k holds effective rates from lr/2^(first+k+1) to lr/2^(first+k).
    return spec.rows.map(row => row.shares.map((share, k) => ({
      share, low: row.lr / Math.pow(2, spec.first_exponent + k + 1), high: row.lr / Math.pow(2, spec.first_exponent + k),
    })));
  },
  extent(spec) {
    const values = this.ranges(spec).flat().filter(bin => bin.share > 0.0005).flatMap(bin => [bin.low, bin.high]);
    if (spec.single) values.push(spec.single);
    return {x: extentOf([values], true), y: [0, 1]};
  },
  draw(spec, run, domain, side, width) {
    const step = 26, top = 34, height = top + step * spec.rows.length + 32;
    const f = rowsFrame(spec, padded(domain.x, true), width, height, 4, 150, 0.28);
    this.ranges(spec).forEach((bins, k) => {
      const base = top + step * (k + 1), row = spec.rows[k], peak = Math.max(...row.shares, 0.05);
      const shape = d3.area().x(p => f.x(p[0])).y0(base).y1(p => base - p[1] / peak * step * 1.15).curve(d3.curveStep);
      const points = bins.slice().reverse().filter(bin => bin.high >= f.x.domain()[0] && bin.low <= f.x.domain()[1])
          .map(bin => [Math.sqrt(bin.low * bin.high), bin.share]);
      f.body.append("path").attr("d", shape(points)).attr("fill", color(0)).attr("fill-opacity", 0.35)
          .attr("stroke", color(0)).attr("stroke-width", 1);
      if (row.typical) {
        f.body.append("path").attr("d", d3.symbol().type(d3.symbolDiamond).size(40)()).attr("fill", "var(--ink)")
            .attr("transform", `translate(${f.x(row.typical)},${base - 3})`).append("title").text(`typical ${show(row.typical)}`);
      }
      rowName(f, base - 2, row.name, row.dead ? `${row.name}: ${show(100 * row.dead)}% never had a gradient` : row.name);
    });
    if (spec.single) {
      f.body.append("line").attr("class", "guide").attr("stroke-dasharray", "5 3").attr("x1", f.x(spec.single)).attr("x2", f.x(spec.single))
          .attr("y1", top - 10).attr("y2", height - 32);
    }
    side.append(legend([{name: "share of the weights", color: color(0), width: 5},
                        {name: "typical (geometric mean)", color: "var(--ink)", symbol: d3.symbolDiamond},
                        ...(spec.single ? [{name: `one rate for all, as in SGD: ${show(spec.single)}`, color: "var(--soft)", dash: "5 3"}] : [])]),
                f.svg.node());
    return f;
  },
};
