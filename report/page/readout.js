// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// What the pointer or the arrow keys are at, in words.

function readout(f, side, describe, steps) {
  const text = make("div", {class: "readout"});
  const cross = f.svg.append("line").attr("class", "cross").attr("y1", f.margin.top)
      .attr("y2", f.height - f.margin.bottom).attr("visibility", "hidden");
  let at = 0;
  const point = index => {
    at = Math.max(0, Math.min(steps.length - 1, index));
    const x = f.x(steps[at]);
    cross.attr("visibility", x >= f.margin.left && x <= f.width - f.margin.right ? "visible" : "hidden")
        .attr("x1", x).attr("x2", x);
    text.textContent = describe(at);
  };
  const node = f.svg.node();
  node.setAttribute("tabindex", "0");
  node.addEventListener("mousemove", event => {
    const box = node.getBoundingClientRect();
    point(d3.bisect(steps, f.x.invert((event.clientX - box.left) * f.width / box.width)) - 1);
  });
  node.addEventListener("keydown", event => {
    const by = {ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10}[event.key];
    if (!by) return;
    event.preventDefault();
    point(at + by);
  });
  side.append(text);
}
