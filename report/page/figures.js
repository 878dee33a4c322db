// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Figures: one chart of each shown run, with common axes.

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
