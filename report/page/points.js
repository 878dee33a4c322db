// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Points.

kinds.points = {
  extent: spec => ({x: extentOf([spec.points.map(p => p.x)], spec.x.log), y: extentOf([spec.points.map(p => p.y)], spec.y.log)}),
  draw(spec, run, domain, side, width, wide) {
    const f = frame(spec, {x: padded(domain.x, spec.x.log), y: padded(domain.y, spec.y.log)}, width, sizeOf(width, wide), margin);
    if (spec.at_one) {
      f.body.append("path").attr("class", "guide").attr("fill", "none").attr("stroke-dasharray", guideDash(0))
          .attr("d", d3.line()(f.x.domain().map(x => [f.x(x), f.y(spec.at_one / Math.sqrt(x))])));
    }
    f.body.selectAll("circle").data(spec.points).enter().append("circle").attr("r", 3.5).attr("fill", color(0))
        .attr("fill-opacity", 0.7).attr("cx", p => f.x(p.x)).attr("cy", p => f.y(p.y))
        .append("title").text(p => `${p.name}: ${show(p.x)}, ${show(p.y)}`);
    side.append(legend([{name: "a weight", color: color(0), symbol: d3.symbolCircle},
                        ...(spec.at_one ? [{name: "∝ 1/√share: what v makes of steady hits", color: "var(--soft)", dash: guideDash(0)}] : [])]),
                f.svg.node());
    return f;
  },
};
