// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Numbers: how they travel in the page, and how they are written.

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
// The numbers of an axis are written alike; on a logarithmic one each as suits it.
const outOfHand = size => size >= 1e6 || size <= 1e-3;
function ticksOf(values, log) {
  const written = (value, power) => d3.format(power ? "~e" : "~r")(+value.toPrecision(6));
  if (log) return value => written(value, outOfHand(Math.abs(value)));
  const power = outOfHand(Math.max(...values.map(Math.abs)));
  return value => written(value, power && value !== 0);
}
