// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// Which instruction sets there are, and which one is in use.
#include <hwy/highway.h>

#include <adamant/error.hpp>
#include <adamant/targets.hpp>

#include "base/text.h"
#include "kernel/kernels.h"

namespace adamant {
namespace {

void limit_to(std::int64_t targets) {
  hwy::SetSupportedTargetsForTest(targets);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

struct Target {
  std::int64_t bit;
  std::string name;
};

std::vector<Target> find_targets() {
  std::vector<Target> found;
  const std::int64_t usable = hwy::SupportedTargets() & compiled_targets();
  // In Highway a lower bit is a better instruction set.
  for (int i = 0; i < 63; ++i) {
    const std::int64_t bit = std::int64_t{1} << i;
    if ((usable & bit) != 0) found.push_back({bit, hwy::TargetName(bit)});
  }
  return found;
}

const std::vector<Target>& known_targets() {
  static const std::vector<Target> targets = find_targets();
  return targets;
}

}  // namespace

std::vector<std::string> targets() {
  std::vector<std::string> names;
  for (const Target& target : known_targets()) names.push_back(target.name);
  return names;
}

std::string current_target() { return hwy::TargetName(format_kernels().target); }

void use_target(std::string_view name) {
  if (name.empty()) return limit_to(0);
  for (const Target& target : known_targets()) {
    if (target.name == name) return limit_to(target.bit);
  }
  throw Error(ErrorCode::not_found, "unknown instruction set " + printable(name) + ": this CPU and this build have " +
                                        listed(known_targets(), [](const Target& t) { return t.name; }));
}

}  // namespace adamant
