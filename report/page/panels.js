// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Panels: answers, lights, spikes, charts.

const words = {green: "● fine", yellow: "▲ look", red: "■ alarm", grey: "○ not known"};

function fillAnswers(section) {
  const box = $(".answers", section), id = section.dataset.panel;
  box.textContent = "";
  for (const run of shown()) {
    const panel = run.panels[id] || {absent: "Nothing to show."};
    const answer = make("p", {class: "answer", "data-verdict": panel.verdict});
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
