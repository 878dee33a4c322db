// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Draws the report. Every number and sentence comes from the data; this only shows them.
// The pieces in this folder are one script, in the order that report/CMakeLists.txt gives.

const started = performance.now();
const data = JSON.parse(document.getElementById("data").textContent);
const runs = data.runs;
const state = {a: 0, b: -1, tensor: "", from: null, to: null, choices: {}};
const $ = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
