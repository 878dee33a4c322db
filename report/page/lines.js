// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Lines.

kinds.lines = {
  extent(spec, run) {
    const arrays = spec.lines.map(line => lineArrays(spec, line, run));
    const x = spec.x.steps ? stepDomain() : extentOf(arrays.map(a => a.x), spec.x.log);
    const y = extentOf(arrays.flatMap(a => [part(a.x, a.low, x), part(a.x, a.high, x)]), spec.y.log);
    const guides = extentOf([spec.guides.map(g => g.at)], spec.y.log);
    return {x, y: union(y, guides)};
  },
  draw(spec, run, domain, side, width, wide) {
    const f = frame(spec, {x: domain.x, y: padded(domain.y, spec.y.log)}, width, sizeOf(width, wide), margin);
    backdrop(f, spec);
    const entries = [];
    const arrays = spec.lines.map(line => lineArrays(spec, line, run));
    // Lines that theory goes with are solid, as it is dashed; others differ by their dashes too.
    const plain = spec.lines.some(line => line.stroke === "theory");
    let solid = -1, lines = -1;
    spec.lines.forEach((line, i) => {
      const {x, low, high} = arrays[i];
      const theory = line.stroke === "theory";
      if (!theory) ++solid;
      const dashes = theory ? "5 4" : plain || line.stroke === "dots" ? null : dash(++lines);
      const tint = theory ? "var(--ink)" : color(solid);
      if (line.stroke === "dots") {
        f.body.append("g").attr("fill", tint).attr("fill-opacity", 0.65).selectAll("circle")
            .data(Array.from(x, (value, k) => [value, low[k]])
                .filter(p => isFinite(p[1]) && (!spec.y.log || p[1] > 0) && (!spec.x.log || p[0] > 0)))
            .enter().append("circle").attr("r", x.length > 40 ? 1.8 : 3.2).attr("cx", p => f.x(p[0])).attr("cy", p => f.y(p[1]));
      } else {
        f.body.append("path").attr("class", "line").attr("stroke", tint)
            .attr("stroke-dasharray", dashes).attr("stroke-width", theory ? 1.2 : null)
            .style("fill", low === high ? null : tint).attr("fill-opacity", low === high ? null : 0.3)
            .attr("d", stroke(f, x, low, high, spec.y.log));
      }
      if (line.name) {
        entries.push(line.stroke === "dots" ? {name: line.name, color: tint, symbol: d3.symbolCircle}
                                            : {name: line.name, color: tint, dash: dashes});
      }
    });
    foreground(f, spec);
    const keys = [...(entries.length > 1 ? entries : []), ...explained(f, spec)];
    if (keys.length) side.append(legend(keys));
    side.append(f.svg.node());
    const longest = arrays.reduce((best, a) => a.x.length > best.length ? a.x : best, []);
    readout(f, side, at => {
      const x = longest[at];
      const values = spec.lines.map((line, i) => {
        const near = Math.max(0, d3.bisect(arrays[i].x, x) - 1);
        const low = arrays[i].low[near], high = arrays[i].high[near];
        return line.name && isFinite(low) ? `${line.name} ${show(low)}${high !== low ? " to " + show(high) : ""}` : null;
      }).filter(value => value).slice(0, 6);
      return `${spec.x.label} ${show(x)}: ${values.join(", ")}`;
    }, longest);
    return f;
  },
};
