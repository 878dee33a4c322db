// Draws the report. Every number and sentence comes from the data; this only shows them.
"use strict";
(() => {

const started = performance.now();
const data = JSON.parse(document.getElementById("data").textContent);
const runs = data.runs;
const state = {a: 0, b: -1, tensor: "", from: null, to: null, choices: {}};
const $ = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// ---- numbers

function bytes(text) {
  const raw = atob(text), result = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; ++i) result[i] = raw.charCodeAt(i);
  return result;
}
function f32(text) {
  return new Float32Array(bytes(text).buffer);
}
function bf16(text) {
  const words = new Uint16Array(bytes(text).buffer), result = new Uint32Array(words.length);
  for (let i = 0; i < words.length; ++i) result[i] = words[i] << 16;
  return new Float32Array(result.buffer);
}
function cached(read) {
  const known = new Map();
  return text => {
    if (!known.has(text)) known.set(text, read(text));
    return known.get(text);
  };
}
const decode32 = cached(f32), decode16 = cached(bf16);

function show(value) {
  if (value === null || value === undefined || !isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size <= 1e-3)) return d3.format(".2~e")(value);
  return Number.isInteger(value) ? String(value) : d3.format(".3~r")(value);
}
const tick = value => {
  const size = Math.abs(value);
  return size !== 0 && (size >= 1e5 || size <= 1e-3) ? d3.format("~e")(value) : d3.format("~r")(+value.toPrecision(6));
};

// ---- small pieces of the page

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

// ---- frames: axes, bands, guides, marks

function extentOf(arrays, log) {
  let low = Infinity, high = -Infinity;
  for (const values of arrays) {
    for (let i = 0; i < values.length; ++i) {
      const value = values[i];
      if (!(Math.abs(value) < Infinity) || (log && value <= 0)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return [low, high];
}
const union = (a, b) => [Math.min(a[0], b[0]), Math.max(a[1], b[1])];

// The same for all runs that stand side by side.
function padded([low, high], log) {
  if (!(low <= high)) return log ? [0.1, 1] : [0, 1];
  if (log) {
    const room = Math.max(1.08, Math.pow(high / low, 0.05));
    return [low / room, high * room];
  }
  const room = (high - low) * 0.05 || Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

// Powers of ten, or also some of the numbers between them: as many as fit.
function logTicks(scale, wanted) {
  const [low, high] = scale.domain();
  const between = digits => scale.ticks(1000).filter(value => {
    const digit = value / Math.pow(10, Math.floor(Math.log10(value) + 1e-9));
    return digits.some(d => Math.abs(d - digit) < 1e-6);
  });
  if (high / low < 1.5) return d3.scaleLinear().domain([low, high]).ticks(wanted);
  const fitting = [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 5], [1, 3], [1]].map(between).find(list => list.length <= Math.max(3, wanted));
  if (fitting) return fitting;
  const powers = between([1]), step = Math.ceil(powers.length / wanted);
  return powers.filter((_, i) => i % step === 0);
}

// A number under the right end of an axis does not leave the picture.
function kept(axis, scale, width, room) {
  axis.selectAll("text").filter(value => scale(value) > width - room - 12).attr("text-anchor", "end").attr("x", room);
}

function frame(spec, domain, width, height, margin) {
  const svg = d3.create("svg").attr("class", "plot").attr("viewBox", `0 0 ${width} ${height}`)
      .attr("width", width).attr("height", height).attr("role", "img");
  const make_scale = (axis, range, extent) =>
    (axis.log ? d3.scaleLog() : d3.scaleLinear()).domain(extent).range(range);
  const x = make_scale(spec.x, [margin.left, width - margin.right], domain.x);
  const y = make_scale(spec.y, [height - margin.bottom, margin.top], domain.y);
  const xs = spec.x.log ? logTicks(x, width / 80) : x.ticks(Math.max(2, width / 90));
  const ys = spec.y.log ? logTicks(y, height / 40) : y.ticks(height / 40);
  svg.append("g").selectAll("line").data(ys).enter().append("line").attr("class", "grid")
      .attr("x1", margin.left).attr("x2", width - margin.right).attr("y1", y).attr("y2", y);
  svg.append("g").attr("class", "axis").attr("transform", `translate(0,${height - margin.bottom})`)
      .call(d3.axisBottom(x).tickValues(xs).tickFormat(tick).tickSizeOuter(0)).call(kept, x, width, margin.right);
  svg.append("g").attr("class", "axis").attr("transform", `translate(${margin.left},0)`)
      .call(d3.axisLeft(y).tickValues(ys).tickFormat(tick).tickSizeOuter(0)).select(".domain").remove();
  svg.append("text").attr("x", margin.left - 30).attr("y", 11).text(spec.y.label);
  svg.append("text").attr("x", width - margin.right).attr("y", height - 3).attr("text-anchor", "end").text(spec.x.label);
  const id = `clip${++frame.count}`;
  svg.append("clipPath").attr("id", id).append("rect").attr("x", margin.left).attr("y", margin.top)
      .attr("width", width - margin.left - margin.right).attr("height", height - margin.top - margin.bottom);
  return {svg, x, y, id, width, height, margin, body: svg.append("g").attr("clip-path", `url(#${id})`)};
}
frame.count = 0;

const guideDash = index => ["5 3", "1 3", "9 3"][index % 3];
const within = (value, [low, high]) => value >= low && value <= high;

function backdrop(f, spec) {
  for (const band of spec.bands) {
    const [low, high] = f.y.domain();
    const from = f.y(Math.min(high, Math.max(low, band.from))), to = f.y(Math.min(high, Math.max(low, band.to)));
    if (from - to < 1) continue;
    f.body.append("rect").attr("class", "band").attr("x", f.margin.left).attr("y", to)
        .attr("width", f.width - f.margin.left - f.margin.right).attr("height", from - to);
  }
}

// What bands and guides are, for the legend.
function explained(f, spec) {
  const entries = [], [low, high] = f.y.domain();
  for (const band of spec.bands) {
    if (band.to > low && band.from < high) entries.push({name: `${band.label}: ${show(band.from)} to ${show(band.to)}`, fill: "var(--band)"});
  }
  spec.guides.filter(guide => guide.label && within(guide.at, f.y.domain())).forEach((guide, i) => {
    entries.push({name: `${guide.label}: ${show(guide.at)}`, color: "var(--soft)", dash: guideDash(i)});
  });
  return entries;
}

function foreground(f, spec) {
  const right = f.width - f.margin.right;
  spec.guides.filter(guide => within(guide.at, f.y.domain())).forEach((guide, i) => {
    const y = f.y(guide.at);
    f.body.append("line").attr("class", "guide").attr("stroke-dasharray", guideDash(i)).attr("x1", f.margin.left)
        .attr("x2", right).attr("y1", y).attr("y2", y);
  });
  for (const mark of spec.marks) {
    if (!within(mark.at, f.x.domain())) continue;
    const x = f.x(mark.at);
    f.body.append("line").attr("class", "mark").attr("x1", x).attr("x2", x).attr("y1", f.margin.top)
        .attr("y2", f.height - f.margin.bottom);
    const sign = mark.label === "skipped" ? d3.symbolCross : d3.symbolTriangle;
    f.svg.append("path").attr("class", "mark-sign").attr("d", d3.symbol().type(sign).size(34)())
        .attr("transform", `translate(${x},${f.margin.top - 2})${sign === d3.symbolCross ? " rotate(45)" : " rotate(180)"}`)
        .append("title").text(`${mark.label} at step ${mark.at}`);
  }
}

// Floors, bounds and healthy bands that change with the step.
function curves(f, spec, grid, end) {
  const entries = [], curve = name => spec.curves[name] && decode16(spec.curves[name]);
  const x = grid.concat(end), last = values => values.length ? values[values.length - 1] : NaN;
  const steady = values => Math.abs(values[0] - last(values)) <= 0.01 * Math.abs(last(values));
  const clamp = value => Math.max(f.y.domain()[0], Math.min(f.y.domain()[1], value));
  const at = values => values.length ? (i => values[Math.min(i, values.length - 1)]) : () => NaN;
  const low = curve("low"), high = curve("high");
  if (low && high) {
    f.body.append("path").attr("class", "band").attr("d", d3.area().defined((_, i) => at(low)(i) <= at(high)(i)).x((_, i) => f.x(x[i])).y0((_, i) => f.y(clamp(at(low)(i))))
        .y1((_, i) => f.y(clamp(at(high)(i)))).curve(d3.curveStepAfter)(x));
    const words = steady(low) && steady(high) ? "" : " at the end";
    entries.push({name: `healthy: ${show(last(low))} to ${show(last(high))}${words}`, fill: "var(--band)"});
  }
  [["noise", "noise alone"], ["bound", "bound"]].forEach(([name, label], i) => {
    const values = curve(name);
    if (!values || !values.some(value => within(value, f.y.domain()))) return;
    f.body.append("path").attr("class", "guide").attr("fill", "none").attr("stroke-dasharray", guideDash(i))
        .attr("d", d3.line().defined((_, k) => isFinite(at(values)(k)) && (!spec.y.log || at(values)(k) > 0))
            .x((_, k) => f.x(x[k])).y((_, k) => f.y(at(values)(k))).curve(d3.curveStepAfter)(x));
    entries.push({name: `${label}: ${show(last(values))}${steady(values) ? "" : " at the end"}`, color: "var(--soft)", dash: guideDash(i)});
  });
  return entries;
}

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

// ---- kinds of charts. Each has `extent`, the domain it would like, and `draw`.

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

const margin = {left: 44, right: 10, top: 20, bottom: 32};
const sizeOf = (width, wide) => Math.round(Math.max(190, Math.min(wide ? 300 : 240, width * 0.55)));

const kinds = {
  lines: {
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
  },

  // A statistic of all tensors: the crowd in grey, some with their names.
  tensors: {
    rows(spec, run) {
      const list = run.series[spec.statistic] || [];
      return list.map((pair, i) => pair && {
        index: i, name: run.panels.table.rows[i].name,
        low: decode16(pair[0]), high: decode16(pair[pair.length - 1]),
      }).filter(row => row);
    },
    extent(spec, run) {
      const x = stepDomain(), grid = decode32(run.tensor_grid[0]);
      const y = extentOf(this.rows(spec, run).flatMap(row => [part(grid, row.low, x), part(grid, row.high, x)]), spec.y.log);
      // All of a floor, and of a bound if it is near.
      const noise = spec.curves.noise ? extentOf([part(grid, decode16(spec.curves.noise), x)], spec.y.log) : [Infinity, -Infinity];
      const bound = spec.curves.bound ? extentOf([part(grid, decode16(spec.curves.bound), x)], spec.y.log) : [Infinity, -Infinity];
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
  },

  // Tensor by time. What is above the healthy band is orange, below it blue.
  heat: {
    rows: (spec, run) => kinds.tensors.rows(spec, run),
    extent: () => ({x: stepDomain(), y: [0, 1]}),
    draw(spec, run, domain, side, width) {
      const rows = this.rows(spec, run);
      const from = decode32(run.tensor_grid[0]), to = decode32(run.tensor_grid[1]);
      const left = Math.min(150, Math.round(width * 0.28));
      const cell = Math.max(2, Math.min(16, 480 / rows.length));
      const height = Math.round(cell * rows.length) + 40;
      const area = {left, right: 10, top: 6, bottom: 32};
      const f = frame({...spec, y: {label: "", log: false}}, {x: domain.x, y: [0, 1]}, width, height, area);
      all(".grid", f.svg.node()).forEach(node => node.remove());
      f.svg.select("g.axis:nth-of-type(3)").remove();
      // 0 at the middle of the healthy band, ±1 at its edges, ±2 where colour ends: as far again.
      const [low, high] = ["low", "high"].map(name => spec.curves[name] ? decode16(spec.curves[name]) : null);
      const edges = i => low && isFinite(low[i]) ? [low[i], high[i]] : [0.5, 2];
      const place = (value, i) => {
        const [bottom, top] = edges(i), middle = Math.sqrt(bottom * top);
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
          const bottom = place(row.low[i], i), top = place(row.high[i], i);
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
      f.body.append("image").attr("x", f.x(from[0])).attr("y", area.top).attr("width", Math.max(1, f.x(end) - f.x(from[0])))
          .attr("height", cell * rows.length).attr("preserveAspectRatio", "none").attr("href", canvas.toDataURL());
      const every = Math.ceil(12 / cell), letters = Math.floor((left - 8) / 6.2);
      rows.forEach((row, k) => {
        if (k % every && row.name !== state.tensor) return;
        f.svg.append("text").attr("x", left - 6).attr("y", area.top + cell * (k + 0.5) + 3.5).attr("text-anchor", "end")
            .style("font-weight", row.name === state.tensor ? 700 : null)
            .text(row.name.length > letters ? "…" + row.name.slice(1 - letters) : row.name).append("title").text(row.name);
      });
      worst.sort((a, b) => b.place - a.place || b.value - a.value).slice(0, 5).forEach(spot => {
        if (!within(from[spot.i], domain.x)) return;
        f.svg.append("path").attr("d", d3.symbol().type(d3.symbolTriangle).size(44)()).attr("fill", "var(--ink)")
            .attr("stroke", "var(--paper)").attr("transform", `translate(${f.x(from[spot.i])},${area.top + cell * (spot.k + 0.5)})`)
            .append("title").text(`${spot.name}: ${show(spot.value)} at step ${show(from[spot.i])}`);
      });
      const [bottom, top] = edges(from.length - 1), moving = !low || Math.abs(low[0] - bottom) <= 0.01 * bottom ? "" : " at the end";
      const entries = [{name: `${show(bottom * Math.sqrt(bottom / top))} and less${moving}`, fill: blue},
                       {name: `healthy: ${show(bottom)} to ${show(top)}${moving}`, fill: neutral},
                       {name: `${show(top * Math.sqrt(top / bottom))} and more${moving}`, fill: orange}];
      if (worst.length) entries.push({name: "highest", color: "var(--ink)", symbol: d3.symbolTriangle});
      side.append(legend(entries), f.svg.node());
      let row = 0;
      f.svg.node().addEventListener("mousemove", event => {
        const box = f.svg.node().getBoundingClientRect();
        row = Math.max(0, Math.min(rows.length - 1, Math.floor(((event.clientY - box.top) * f.width / box.width - area.top) / cell)));
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
  },

  // Histograms one above the other.
  ridge: {
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
      const step = 26, left = Math.min(150, Math.round(width * 0.28)), top = 34;
      const height = top + step * spec.rows.length + 32;
      const area = {left, right: 10, top: 4, bottom: 32};
      const f = frame({...spec, y: {label: "", log: false}}, {x: padded(domain.x, true), y: [0, 1]}, width, height, area);
      all(".grid", f.svg.node()).forEach(node => node.remove());
      f.svg.select("g.axis:nth-of-type(3)").remove();
      const letters = Math.floor((left - 8) / 6.2);
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
        f.svg.append("text").attr("x", left - 6).attr("y", base - 2).attr("text-anchor", "end")
            .style("font-weight", row.name === state.tensor ? 700 : null)
            .text(row.name.length > letters ? "…" + row.name.slice(1 - letters) : row.name).append("title")
            .text(row.dead ? `${row.name}: ${show(100 * row.dead)}% never had a gradient` : row.name);
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
  },

  points: {
    extent: spec => ({x: extentOf([spec.points.map(p => p.x)], spec.x.log), y: extentOf([spec.points.map(p => p.y)], spec.y.log)}),
    draw(spec, run, domain, side, width, wide) {
      const f = frame(spec, {x: padded(domain.x, spec.x.log), y: padded(domain.y, spec.y.log)}, width, sizeOf(width, wide), margin);
      f.body.append("path").attr("class", "guide").attr("fill", "none").attr("stroke-dasharray", guideDash(0))
            .attr("d", d3.line()(f.x.domain().map(x => [f.x(x), f.y(spec.at_one / Math.sqrt(x))])));
      f.body.selectAll("circle").data(spec.points).enter().append("circle").attr("r", 3.5).attr("fill", color(0))
          .attr("fill-opacity", 0.7).attr("cx", p => f.x(p.x)).attr("cy", p => f.y(p.y))
          .append("title").text(p => `${p.name}: ${show(p.x)}, ${show(p.y)}`);
      side.append(legend([{name: "a weight", color: color(0), symbol: d3.symbolCircle},
                          {name: "∝ 1/√share: what v makes of steady hits", color: "var(--soft)", dash: guideDash(0)}]),
                  f.svg.node());
      return f;
    },
  },

  // A row for each name, a mark for each value.
  rows: {
    extent: spec => ({x: extentOf(spec.rows.map(row => row.values), true), y: [0, 1]}),
    draw(spec, run, domain, side, width) {
      const step = 17, left = Math.min(170, Math.round(width * 0.32)), top = 8;
      const height = top + step * spec.rows.length + 34;
      const f = frame({...spec, y: {label: "", log: false}}, {x: padded(domain.x, true), y: [0, 1]}, width, height,
                      {left, right: 10, top, bottom: 32});
      all(".grid", f.svg.node()).forEach(node => node.remove());
      f.svg.select("g.axis:nth-of-type(3)").remove();
      const letters = Math.floor((left - 8) / 6.2);
      spec.rows.forEach((row, k) => {
        const y = top + step * (k + 0.5);
        f.svg.append("line").attr("class", "grid").attr("x1", left).attr("x2", width - 10).attr("y1", y).attr("y2", y);
        f.svg.append("text").attr("x", left - 6).attr("y", y + 3.5).attr("text-anchor", "end")
            .text(row.name.length > letters ? "…" + row.name.slice(1 - letters) : row.name).append("title").text(row.name);
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
  },
};

// ---- figures: one chart of each shown run, with common axes

function chosen(spec, key) {
  if (!spec || spec.kind !== "choice") return spec;
  const at = Math.min(state.choices[key] || 0, spec.options.length - 1);
  return spec.options[at].chart;
}

function figure(node, key, specs) {
  node.hidden = !specs.length;
  const charts = specs.map(({run, spec}) => ({run, spec: chosen(spec, key), menu: spec.kind === "choice" ? spec : null}));
  node.textContent = "";
  if (!charts.length) return;
  node.classList.toggle("pair", charts.length > 1);
  const menu = charts[0].menu;
  if (menu) {
    const select = make("select", {onchange: event => {
      state.choices[key] = event.target.selectedIndex;
      figure(node, key, specs);
      $("select", node).focus();
    }});
    menu.options.forEach((option, i) => select.append(make("option", {value: i, text: option.name})));
    select.selectedIndex = Math.min(state.choices[key] || 0, menu.options.length - 1);
    node.append(make("label", {class: "picker"}, menu.label, select));
  }
  const domain = charts.map(({run, spec}) => kinds[spec.kind].extent(spec, run))
      .reduce((a, b) => ({x: union(a.x, b.x), y: union(a.y, b.y)}));
  const sides = make("div", {class: "sides"});
  node.append(sides);
  const boxes = charts.map(() => sides.appendChild(make("div")));
  charts.forEach(({run, spec}, i) => {
    const caption = make("figcaption", {text: spec.title});
    if (charts.length > 1) caption.append(make("span", {class: "side", text: ` · ${run.name}`}));
    boxes[i].append(caption);
    const width = Math.max(260, Math.floor(boxes[i].clientWidth));
    const drawn = kinds[spec.kind].draw(spec, run, domain, boxes[i], width, node.classList.contains("wide"));
    drawn.svg.attr("aria-label", `${spec.title}. ${spec.y.label}`);
  });
}

const shown = () => [state.a, state.b].filter(index => index >= 0).map(index => runs[index]);

// ---- panels

const words = {green: "● fine", yellow: "▲ look", red: "■ alarm", grey: "○ not known"};

function fillAnswers(section) {
  const box = $(".answers", section), id = section.dataset.panel;
  box.textContent = "";
  for (const run of shown()) {
    const panel = run.panels[id] || {absent: "Nothing to show."};
    const answer = make("p", {class: "answer"});
    if (shown().length > 1) answer.append(make("span", {class: "run-name", text: run.name}));
    answer.append(panel.absent || panel.answer);
    box.append(answer);
    if (id === "health") fillHealth(box, run, panel);
    if (id === "forensics" && panel.spikes) fillSpikes(box, run, panel);
  }
  for (const extra of all(".extra", section)) {
    extra.textContent = shown().map(run => {
      const text = (run.panels[id] || {})[extra.dataset.extra] || "";
      return text && shown().length > 1 ? `${run.name}: ${text}` : text;
    }).join(" ");
  }
}

function fillHealth(box, run, panel) {
  const lights = make("div", {class: "lights"});
  for (const light of panel.lights || []) {
    lights.append(make("div", {class: `light ${light.state}`},
        make("div", {}, make("b", {text: light.name}), " ", make("span", {class: "state", text: words[light.state]})),
        make("div", {class: "question", text: light.question}), make("p", {text: light.words})));
  }
  box.append(lights);
  if ((panel.findings || []).length > 1) {
    const list = make("ul", {class: "findings"});
    for (const finding of panel.findings.slice(0, 12)) {
      list.append(make("li", {}, make("span", {class: `state ${finding.state}`, text: words[finding.state].slice(0, 2)}), `step ${finding.step}: ${finding.words}`));
    }
    box.append(make("h3", {text: "In the order in which they came"}), list);
  }
  const settings = make("dl", {class: "settings"});
  for (const [name, value] of run.settings) settings.append(make("dt", {text: name}), make("dd", {text: value}));
  box.append(settings);
}

function fillSpikes(box, run, panel) {
  const key = `spike ${run.path}`, body = make("div");
  const fill = () => {
    const spike = panel.spikes[state.choices[key] || 0];
    body.textContent = "";
    body.append(make("p", {class: "extra", text: spike.words}));
    if (spike.movers.length) {
      const table = make("table", {}, make("thead", {}, make("tr", {},
          ...["moved first", "step", "by", "before", "there"].map(text => make("th", {text})))));
      table.append(make("tbody", {}, ...spike.movers.map(row => make("tr", {}, ...row.map((cell, i) => make(i ? "td" : "th", {text: cell}))))));
      body.append(make("div", {class: "scroll"}, table));
    }
    const charts = make("div", {class: "charts"});
    body.append(charts);
    const nodes = spike.charts.map(() => charts.appendChild(make("figure")));
    spike.charts.forEach((spec, i) => figure(nodes[i], `${key} ${spec.title}`, [{run, spec}]));
  };
  if (panel.spikes.length > 1) {
    const select = make("select", {onchange: event => {
      state.choices[key] = event.target.selectedIndex;
      fill();
    }});
    panel.spikes.forEach(spike => select.append(make("option", {text: spike.name})));
    select.selectedIndex = state.choices[key] || 0;
    box.append(make("label", {class: "picker"}, "Spike", select));
  }
  box.append(body);
  fill();
}

function drawPanel(section) {
  fillAnswers(section);
  // First all take their places, then each is drawn as wide as its own.
  const figures = all("figure[data-chart]", section).map(node => {
    const specs = shown().map(run => ({run, spec: ((run.panels[section.dataset.panel] || {}).charts || {})[node.dataset.chart]}))
        .filter(({spec}) => spec);
    node.hidden = !specs.length;
    return {node, specs};
  });
  for (const charts of all(".charts", section)) charts.hidden = !charts.querySelector("figure:not([hidden])");
  for (const {node, specs} of figures) figure(node, node.dataset.chart, specs);
  if (section.dataset.panel === "overview") drawBrush();
  if (section.dataset.panel === "table") drawTable();
}

function drawBrush() {
  const box = $("#brush"), run = runs[state.a], spec = ((run.panels.overview || {}).charts || {}).loss;
  box.textContent = "";
  if (!spec || box.clientWidth === 0) return;
  const width = box.clientWidth, height = 56, x = d3.scaleLinear().domain([run.first_step, Math.max(run.last_step, run.first_step + 1)])
      .range([margin.left, width - margin.right]);
  const {x: xs, low, high} = lineArrays(spec, spec.lines[0], run);
  const y = (spec.y.log ? d3.scaleLog() : d3.scaleLinear()).domain(padded(extentOf([low, high], spec.y.log), spec.y.log)).range([height - 18, 2]);
  const svg = d3.create("svg").attr("class", "plot").attr("viewBox", `0 0 ${width} ${height}`).attr("width", width).attr("height", height);
  svg.append("path").attr("class", "line").attr("stroke", "var(--soft)").style("fill", low === high ? "none" : "var(--soft)")
      .attr("stroke-width", 1).attr("d", stroke({x, y}, xs, low, high, spec.y.log));
  svg.append("g").attr("class", "axis").attr("transform", `translate(0,${height - 16})`)
      .call(d3.axisBottom(x).ticks(Math.max(2, width / 110)).tickFormat(tick).tickSizeOuter(0)).call(kept, x, width, margin.right);
  const brush = d3.brushX().extent([[margin.left, 0], [width - margin.right, height - 16]]);
  const layer = svg.append("g").call(brush);
  if (state.from !== null || state.to !== null) {
    layer.call(brush.move, [x(state.from === null ? x.domain()[0] : state.from), x(state.to === null ? x.domain()[1] : state.to)]
        .map(at => Math.max(margin.left, Math.min(width - margin.right, at))));
  }
  brush.on("end", () => {
    if (!d3.event.sourceEvent) return;
    const range = d3.event.selection && d3.event.selection.map(at => Math.round(x.invert(at)));
    setRange(range ? range[0] : null, range ? range[1] : null);
  });
  box.append(svg.node());
}

// ---- the table

let order = {column: -1, down: true}, rowLimit = 100;

function spark(run, statistic, index) {
  const pair = (run.series[statistic] || [])[index];
  if (!pair) return "";
  const high = decode16(pair[pair.length - 1]), [low, top] = extentOf([high], true);
  const y = d3.scaleLog().domain(low < top ? [low, top] : [low / 2, low * 2]).range([15, 1]);
  const x = i => 1 + i * 64 / Math.max(1, high.length - 1);
  return d3.create("svg").attr("width", 66).attr("height", 16).attr("aria-hidden", "true").call(svg => svg.append("path").attr("class", "line")
      .attr("stroke", color(0)).attr("stroke-width", 1).attr("d", stroke({x, y}, Array.from(high, (_, i) => i), high, high, true))).node();
}

const sparked = ["lag", "update", "relative_step"];

function columns(run) {
  const list = [{title: "parameters", value: row => row.size}, {title: "earned", value: row => row.earned,
                 hint: "share of the predicted decrease of the loss"}];
  data.statistics.forEach((statistic, k) => {
    if (run.series[statistic.name] === undefined) return;
    list.push({title: statistic.title, hint: statistic.question, value: row => row.values[k], name: statistic.name});
  });
  return list;
}

function drawTable() {
  const box = $("#tensor-table"), run = runs[state.a], panel = run.panels.table;
  box.textContent = "";
  if (!panel || !panel.rows) return;
  const list = columns(run);
  const rows = panel.rows.map((row, index) => ({...row, index}));
  if (order.column >= 0) {
    const value = row => list[order.column] ? list[order.column].value(row) : null;
    rows.sort((a, b) => value(a) === null ? 1 : value(b) === null ? -1 : (value(a) - value(b)) * (order.down ? -1 : 1));
  }
  const head = make("tr", {}, make("th", {scope: "col"}, make("button", {type: "button", text: "tensor", onclick: () => sortBy(-1)})));
  list.forEach((column, i) => {
    const active = order.column === i;
    head.append(make("th", {scope: "col", "aria-sort": active ? (order.down ? "descending" : "ascending") : "none", title: column.hint || ""},
        make("button", {type: "button", text: column.title + (active ? (order.down ? " ↓" : " ↑") : ""), onclick: () => sortBy(i)})));
    if (sparked.includes(column.name)) head.append(make("th", {scope: "col", text: "over time"}));
  });
  const body = make("tbody");
  for (const row of rows.slice(0, rowLimit)) {
    const line = make("tr", row.name === state.tensor ? {class: "chosen"} : {}, make("th", {scope: "row"},
        make("button", {type: "button", class: "plain", text: row.name, title: `${row.name} [${row.shape.join(", ")}], group ${row.group}`,
                        onclick: () => setTensor(row.name === state.tensor ? "" : row.name)})));
    for (const column of list) {
      const value = column.value(row);
      line.append(make("td", {text: column.title === "earned" && value !== null ? `${show(100 * value)}%` : show(value)}));
      if (sparked.includes(column.name)) line.append(make("td", {}, spark(run, column.name, row.index)));
    }
    body.append(line);
  }
  box.append(make("table", {}, make("thead", {}, head), body));
  if (rows.length > rowLimit) {
    box.append(make("button", {type: "button", text: `Show all ${rows.length}`, onclick: () => {
      rowLimit = Infinity;
      drawTable();
    }}));
  }
}

function sortBy(column) {
  order = {column, down: order.column === column ? !order.down : true};
  drawTable();
  $(`#tensor-table thead th:nth-of-type(${1}) button`).focus({preventScroll: true});
}

function csv() {
  const run = runs[state.a], list = columns(run), quote = text => `"${String(text).replace(/"/g, '""')}"`;
  const head = ["tensor", "shape", ...list.map(column => column.name || column.title)];
  const lines = run.panels.table.rows.map(row => [quote(row.name), quote(row.shape.join("x")),
                                                  ...list.map(column => column.value(row) === null ? "" : column.value(row))]);
  return [head, ...lines].map(line => line.join(",")).join("\n") + "\n";
}

$("#csv").addEventListener("click", async () => {
  const done = $("#csv-done");
  try {
    await navigator.clipboard.writeText(csv());
    done.textContent = "Copied.";
  } catch (error) {
    done.textContent = "Copying is not allowed here: take it from the field.";
    const field = $("#csv-text") || done.parentNode.appendChild(make("textarea", {id: "csv-text", "aria-label": "The table as CSV"}));
    field.value = csv();
    field.select();
  }
});

// ---- all runs

function drawRuns() {
  if (runs.length < 2) return;
  const results = runs.some(run => run.result);
  const columns = [["run", ""], ["rule", "wide"], ["steps", "wide"], ["loss", ""], ...(results ? [["loss noted at the end", "wide"]] : []), ["lights", ""]];
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...columns.map(([text, kind]) => make("th", {scope: "col", class: kind, text})))));
  const groups = d3.nest().key(run => run.workload).entries(runs);
  for (const group of groups) {
    const body = make("tbody");
    if (groups.length > 1 || group.key) body.append(make("tr", {}, make("th", {colspan: columns.length, scope: "colgroup", text: group.key || "no workload noted"})));
    for (const run of group.values) {
      const lights = (run.panels.health || {}).lights || [];
      body.append(make("tr", run === runs[state.a] || run === runs[state.b] ? {class: "chosen"} : {},
          make("td", {}, make("button", {type: "button", class: "plain", text: run.name, onclick: () => {
            state.a = runs.indexOf(run);
            if (state.b === state.a) state.b = -1;
            drawAll();
          }})),
          make("td", {class: "wide", text: run.rule}), make("td", {class: "wide", text: run.last_step}), make("td", {text: run.loss}),
          ...(results ? [make("td", {class: "wide", text: run.result || "–"})] : []),
          make("td", {}, ...lights.map(light => make("span", {class: `state ${light.state}`, title: `${light.name}: ${words[light.state].slice(2)}`,
                                                              text: words[light.state][0] + " "})))));
    }
    table.append(body);
  }
  $("#run-table").textContent = "";
  $("#run-table").append(make("div", {class: "scroll"}, table));

  // Their losses, of the runs on the workload that is shown.
  const family = runs.filter(run => run.workload === runs[state.a].workload).slice(0, 24);
  const lines = family.map(run => {
    const spec = ((run.panels.overview || {}).charts || {}).loss;
    return spec && {...spec.lines[0], x: run.overview_grid, name: run.name};
  }).filter(line => line);
  const node = $("#run-losses");
  if (lines.length) {
    figure(node, "runs", [{run: runs[state.a], spec: {kind: "lines", title: `Loss of ${lines.length} runs${runs[state.a].workload ? " on " + runs[state.a].workload : ""}`,
        x: {label: "step", log: false, steps: false}, y: runs[state.a].panels.overview.charts.loss.y, bands: [], guides: [], marks: [], lines}}]);
  }
}

// ---- claims and glossary

function drawClaims() {
  const section = $("#claims"), list = $("#claim-list");
  section.hidden = data.claims.length === 0;
  list.textContent = "";
  for (const claim of data.claims) {
    const state = /^holds(?! if)/.test(claim.verdict) ? "green" : /^does not/.test(claim.verdict) ? "red" : "yellow";
    const card = make("article", {class: "claim", id: `claim-${claim.id}`}, make("h3", {text: claim.statement}),
        make("p", {}, make("span", {class: `state ${state}`, text: `${words[state][0]} ${claim.verdict}`})));
    const facts = make("dl", {class: "settings"});
    for (const key of ["theory", "measured", "tolerance"]) {
      if (claim[key]) facts.append(make("dt", {text: key}), make("dd", {text: claim[key]}));
    }
    if (claim.figures.length) {
      facts.append(make("dt", {text: "figures"}), make("dd", {}, make("div", {class: "scroll"}, make("table", {},
          make("thead", {}, make("tr", {}, ...["", "theory", "measured", "tolerance"].map(text => make("th", {text})))),
          make("tbody", {}, ...claim.figures.map(row => make("tr", {}, ...row.map((text, i) => make(i ? "td" : "th", {text})))))))));
    }
    card.append(facts, ...claim.words.split(/\n\s*\n/).filter(text => text.trim()).map(text => make("p", {class: "words", text})));
    const charts = make("div", {class: "charts"});
    card.append(charts);
    list.append(card);
    const nodes = claim.plots.map(() => charts.appendChild(make("figure")));
    claim.plots.forEach((spec, i) => figure(nodes[i], `claim ${claim.id} ${spec.title}`, [{run: null, spec}]));
  }
}

for (const statistic of data.statistics) {
  $("#glossary dl").append(make("dt", {text: `${statistic.title}: ${statistic.formula}${statistic.unit ? `, in ${statistic.unit}` : ""}`}),
      make("dd", {text: `${statistic.question} ${statistic.reading}`}));
}

$("#causes").append(make("thead", {}, make("tr", {}, ...["light", "measure", "yellow", "red", "what helps"].map(text => make("th", {scope: "col", text})))),
    make("tbody", {}, ...data.causes.map(row => make("tr", {}, ...row.map(text => make("td", {class: "words", text}))))));

// ---- the page

const sections = all("section[data-panel]");

function fillToolbar() {
  const tensors = new Set(shown().flatMap(run => ((run.panels.table || {}).rows || []).map(row => row.name)));
  if (!tensors.has(state.tensor)) state.tensor = "";
  const select = $("#tensor");
  select.textContent = "";
  select.append(make("option", {value: "", text: "those that stand out"}), ...[...tensors].map(name => make("option", {value: name, text: name})));
  select.value = state.tensor;
  if (runs.length > 1) {
    $("#run-a").value = state.a;
    $("#run-b").value = state.b;
  }
}

function drawAll() {
  if (runs.length) fillToolbar();
  // One panel after the other, so that the first can be seen at once.
  const work = runs.length ? [drawRuns, ...sections.map(section => () => drawPanel(section)), drawClaims] : [drawClaims];
  const turn = ++drawAll.turn;
  const next = () => {
    if (turn !== drawAll.turn) return;
    if (!work.length) {
      document.documentElement.dataset.drawn = Math.round(performance.now() - started);
      document.documentElement.dataset.ready = Math.round(performance.now());
      return;
    }
    work.shift()();
    setTimeout(next);
  };
  next();
}
drawAll.turn = 0;

function setRange(from, to) {
  state.from = from;
  state.to = to;
  $("#from").value = from === null ? "" : from;
  $("#to").value = to === null ? "" : to;
  drawAll();
}
function setTensor(name) {
  state.tensor = name;
  drawAll();
}

$("#version").textContent = `adamant ${data.version}`;
$("#subtitle").textContent = [runs.length && `${runs.length} run${runs.length > 1 ? "s" : ""}`,
                              runs.length === 1 && `${runs[0].rule}, ${runs[0].logged} logged steps`,
                              data.claims.length && `${data.claims.length} claim${data.claims.length > 1 ? "s" : ""}`].filter(x => x).join(", ");
if (runs.length < 2) all(".runs-only").forEach(node => node.remove());
if (!runs.length) {
  $("#toolbar").remove();
  sections.forEach(section => section.remove());
}
sections.forEach((section, i) => {
  section.id = section.dataset.panel;
  $("h2", section).prepend(make("span", {class: "number", text: i + 1}));
  if (runs.length) $("#contents").append(make("a", {href: `#${section.id}`, text: `${i + 1} ${section.dataset.short}`}));
});
if (data.claims.length && runs.length) $("#contents").append(make("a", {href: "#claims", text: "Claims"}));
if (runs.length) {
  if (runs.length > 1) {
    runs.forEach((run, i) => {
      $("#run-a").append(make("option", {value: i, text: run.name}));
      $("#run-b").append(make("option", {value: i, text: run.name}));
    });
    $("#run-b").prepend(make("option", {value: -1, text: "none"}));
    $("#run-a").addEventListener("change", event => { state.a = +event.target.value; drawAll(); });
    $("#run-b").addEventListener("change", event => { state.b = +event.target.value; drawAll(); });
    $("#run-b").value = -1;
  }
  const number = id => $(id).value === "" ? null : +$(id).value;
  for (const id of ["#from", "#to"]) $(id).addEventListener("change", () => setRange(number("#from"), number("#to")));
  $("#whole").addEventListener("click", () => setRange(null, null));
  $("#tensor").addEventListener("change", event => setTensor(event.target.value));
  $("#toolbar").addEventListener("submit", event => event.preventDefault());
}
let resized, lastWidth = window.innerWidth;
window.addEventListener("resize", () => {
  if (window.innerWidth === lastWidth) return;
  lastWidth = window.innerWidth;
  clearTimeout(resized);
  resized = setTimeout(drawAll, 150);
});
window.matchMedia("(prefers-color-scheme: dark)").addListener(drawAll);
window.addEventListener("beforeprint", () => all("details").forEach(fold => { fold.open = fold.id !== "glossary" || runs.length > 0; }));
drawAll();

})();
