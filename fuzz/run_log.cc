// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// RunLogReader on a file of any bytes: what it does not understand it refuses with an Error, and what it gives can be
// relied on.
#include <adamant/run_log.hpp>
#include <algorithm>
#include <cmath>
#include <utility>

#include "fuzz/file.h"
#include "fuzz/input.h"
#include "fuzz/ranges.h"

namespace {

using namespace adamant;
using fuzz::require;

void check(const RunInfo& info) {
  require(!info.groups.empty() && !info.tensors.empty());
  for (const RunInfo::Group& group : info.groups) fuzz::check_options(group.rule, group.options);
  for (const RunInfo::Tensor& tensor : info.tensors) {
    require(tensor.group < info.groups.size());
    std::size_t elements = 1;
    const bool empty = std::ranges::count(tensor.shape, std::size_t{0}) > 0;
    for (const std::size_t side : tensor.shape) require(empty || !__builtin_mul_overflow(elements, side, &elements));
    require(tensor.size == (empty ? 0 : elements) && tensor.size <= std::uint64_t{1} << 53);
  }
  std::pair<std::size_t, std::size_t> last;
  for (const RunInfo::Probe& probe : info.probes) {
    require(probe.tensor < info.tensors.size() && probe.element < info.tensors[probe.tensor].size);
    const std::pair place(probe.tensor, probe.element);
    require(&probe == info.probes.data() || last < place);
    last = place;
  }
}

void check(const RunStep& step, const RunInfo& info) {
  require(step.lr.size() == info.groups.size() && step.tensors.size() == info.tensors.size());
  for (const double lr : step.lr) require(lr >= 0.0 && std::isfinite(static_cast<float>(lr)));
  std::size_t probes = 0;
  for (std::size_t i = 0; i < step.tensors.size(); ++i) {
    const TensorStatistics& seen = step.tensors[i];
    require(seen.tensor == i && (seen.elements == 0 || seen.elements == info.tensors[i].size));
    require(seen.scales.zero_grads <= seen.scales.elements && seen.scales.scaled <= seen.scales.elements);
    for (const Probe& probe : seen.probes) {
      require(info.probes[probes].tensor == i && info.probes[probes].element == probe.element);
      ++probes;
    }
  }
  require(probes == 0 || probes == info.probes.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::File file(data, size);
  const bool whole = fuzz::accepted([&] {
    RunLogReader reader(file.path());
    check(reader.info());
    RunStep step;
    std::uint64_t last = 0, last_scales = 0;
    std::size_t tensors = reader.info().tensors.size();  // of the step before
    while (reader.next(step)) {
      check(*step.info);
      check(step, *step.info);
      require(step.step > last);
      if (const auto& scales = reader.scales(); scales && scales->last_step != last_scales) {
        require(tensors <= scales->bins.size() && scales->bins.size() <= step.tensors.size());
        last_scales = scales->last_step;
      }
      last = step.step;
      tensors = step.tensors.size();
    }
  });
  return whole ? fuzz::kKeep : fuzz::kLeave;
}
