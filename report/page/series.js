// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Series of numbers over the steps that are seen, and their strokes.

const stepDomain = run => {
  const from = state.from === null ? -Infinity : state.from, to = state.to === null ? Infinity : state.to;
  let low = Infinity, high = -Infinity;
  for (const index of [state.a, state.b]) {
    if (index < 0) continue;
    low = Math.min(low, runs[index].first_step);
    high = Math.max(high, runs[index].last_step);
  }
  low = Math.max(low, from);
  high = Math.min(high, to);
  return low < high ? [low, high] : [low - 0.5, low + 0.5];
};

// Values at or beside the steps that are seen.
function part(xs, values, domain) {
  if (xs[0] >= domain[0] && xs[xs.length - 1] <= domain[1]) return values;
  return values.filter((_, i) => within(xs[i], domain) || within(xs[Math.min(i + 1, xs.length - 1)], domain));
}

function lineArrays(spec, line, run) {
  const x = line.x === "overview" ? decode32(run.overview_grid) : decode32(line.x || spec.xs);
  const low = decode32(line.low);
  return {x, low, high: line.high ? decode32(line.high) : low};
}

// A line, or the area between two; with gaps where there is no number. To a tenth of a pixel: a page has many of them.
function stroke(f, xs, low, high, log) {
  const round = value => Math.round(10 * value) / 10;
  if (f.columns === undefined || f.columns.of !== xs) f.columns = {of: xs, x: Array.from(xs, x => round(f.x(x)))};
  const column = f.columns.x, good = value => isFinite(value) && (!log || value > 0);
  const path = [];
  let there = "", back = [];
  const close = () => {
    if (there) path.push(there + (low === high ? (there.includes("L") ? "" : "h.1") : "L" + back.reverse().join("L") + "Z"));
    there = "";
    back = [];
  };
  for (let i = 0; i < column.length; ++i) {
    if (!good(high[i]) || !good(low[i]) || !isFinite(column[i])) {
      close();
      continue;
    }
    there += `${there ? "L" : "M"}${column[i]},${round(f.y(high[i]))}`;
    if (low !== high) back.push(`${column[i]},${round(f.y(low[i]))}`);
  }
  close();
  return path.join("");
}
