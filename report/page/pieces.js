// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Small pieces of the page: elements, colours, legends.

function make(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "text") node.textContent = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}
const color = index => `var(--c${index % 6})`;
const dash = index => [null, "8 2", "2 2", "8 2 2 2", "14 3", "4 1"][(index + Math.floor(index / 6)) % 6];
const symbols = [d3.symbolCircle, d3.symbolSquare, d3.symbolTriangle, d3.symbolDiamond, d3.symbolCross, d3.symbolStar];

function legend(entries) {
  const box = make("div", {class: "legend"});
  for (const entry of entries) {
    const svg = d3.create("svg").attr("width", 22).attr("height", 10).attr("aria-hidden", "true");
    if (entry.symbol) {
      svg.append("path").attr("transform", "translate(11,5)").attr("d", d3.symbol().type(entry.symbol).size(38)())
          .attr("fill", entry.color);
    } else if (entry.fill) {
      svg.append("rect").attr("width", 22).attr("height", 10).attr("fill", entry.fill);
    } else {
      svg.append("line").attr("x2", 22).attr("y1", 5).attr("y2", 5).attr("stroke", entry.color)
          .attr("stroke-width", entry.width || 2).attr("stroke-dasharray", entry.dash || null);
    }
    box.append(make("span", {}, svg.node(), entry.name));
  }
  return box;
}
