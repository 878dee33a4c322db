// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "report/probes.h"

#include <algorithm>
#include <cmath>

namespace adamant::report {
namespace {

// Where a log-spaced row of steps goes on: 6% further, which no eye misses on a logarithmic axis.
bool is_next(const std::vector<ProbeSample>& early, std::uint64_t step) {
  return early.empty() || static_cast<double>(step) >= 1.06 * static_cast<double>(early.back().tensor_step);
}

}  // namespace

double ProbeTrack::flip_rate() const {
  std::size_t pairs = 0, flips = 0;
  float before = 0.0F;
  for (const ProbeSample& sample : last) {
    if (sample.g == 0.0F) continue;
    pairs += before != 0.0F ? 1 : 0;
    flips += before * sample.g < 0.0F || (before != 0.0F && std::signbit(before) != std::signbit(sample.g)) ? 1u : 0u;
    before = sample.g;
  }
  return pairs < 8 || 2 * pairs < last.size() ? 0.0 : static_cast<double>(flips) / static_cast<double>(pairs);
}

ProbeRecorder::ProbeRecorder(std::size_t window, double early_steps) : window_(window), early_steps_(early_steps) {}

void ProbeRecorder::add(const RunInfo& info, const RunStep& step) {
  std::size_t index = 0;
  for (std::size_t t = 0; t < step.tensors.size(); ++t) {
    const TensorStatistics& seen = step.tensors[t];
    const double lr = step.lr[info.tensors[t].group];
    for (const Probe& probe : seen.probes) {
      while (index < tracks_.size() && (tracks_[index].tensor != t || tracks_[index].element != probe.element)) ++index;
      if (index == tracks_.size()) {
        tracks_.push_back({});
        tracks_.back().tensor = t;
        tracks_.back().element = probe.element;
      }
      ProbeTrack& track = tracks_[index++];
      const ProbeSample sample{step.step, seen.step, lr, probe.g, probe.m, probe.v, probe.u, probe.w};
      ++track.steps;
      track.hits += probe.g != 0.0F ? 1 : 0;
      if (track.first.size() < window_) track.first.push_back(sample);
      // A ring, straightened in finish().
      if (track.last.size() < window_) {
        track.last.push_back(sample);
      } else {
        track.last[(track.steps - 1) % window_] = sample;
      }
      if (static_cast<double>(seen.step) <= early_steps_ && is_next(track.early, seen.step)) {
        track.early.push_back(sample);
      }
    }
  }
}

std::vector<ProbeTrack> ProbeRecorder::finish() {
  for (ProbeTrack& track : tracks_) {
    const auto oldest = static_cast<std::ptrdiff_t>(track.steps % window_);
    if (track.steps > window_) std::rotate(track.last.begin(), track.last.begin() + oldest, track.last.end());
  }
  return std::move(tracks_);
}

}  // namespace adamant::report
