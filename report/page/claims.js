// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Claims and glossary.

function drawClaims() {
  const section = $("#claims"), list = $("#claim-list");
  section.hidden = data.claims.length === 0;
  list.textContent = "";
  for (const claim of data.claims) {
    const card = make("article", {class: "claim", id: `claim-${claim.id}`}, make("h3", {text: claim.statement}),
        make("p", {}, make("span", {class: `state ${claim.state}`, text: `${words[claim.state][0]} ${claim.verdict}`})));
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
