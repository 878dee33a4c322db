// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Kinds of charts. Each has `extent`, the domain it would like, and `draw`; each has a file.

const kinds = {};
const margin = {left: 44, right: 10, top: 20, bottom: 32};
const sizeOf = (width, wide) => Math.round(Math.max(190, Math.min(wide ? 300 : 240, width * 0.55)));

// A frame for rows with names: they stand at the left, over an x axis alone.
function rowsFrame(spec, x, width, height, top, widest, share) {
  const left = Math.min(widest, Math.round(width * share));
  return frame({...spec, y: null}, {x}, width, height, {left, right: 10, top, bottom: 32});
}
function rowName(f, y, name, title = name) {
  const letters = Math.floor((f.margin.left - 8) / 6.2);
  f.svg.append("text").attr("x", f.margin.left - 6).attr("y", y).attr("text-anchor", "end")
      .style("font-weight", name === state.tensor ? 700 : null)
      .text(name.length > letters ? "…" + name.slice(1 - letters) : name).append("title").text(title);
}
