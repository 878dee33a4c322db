// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "optim/regions.h"

#include <algorithm>

namespace adamant {

void Regions::insert(std::span<const Region> regions) {
  for (const Region& region : regions) {
    if (!region.empty()) by_end_.push_back(region);
  }
  std::ranges::sort(by_end_, {}, &Region::end);
}

std::optional<std::pair<Region, Region>> Regions::first_overlap() const {
  const auto found =
      std::ranges::adjacent_find(by_end_, [](const Region& a, const Region& b) { return b.begin < a.end; });
  if (found == by_end_.end()) return std::nullopt;
  return std::pair(found[0], found[1]);
}

void Regions::remove(const Region& region) {
  const auto found = std::ranges::lower_bound(by_end_, region.end, {}, &Region::end);
  if (found != by_end_.end() && found->begin == region.begin && !region.empty()) by_end_.erase(found);
}

void Regions::remove_planes(const std::vector<bool>& of_tensor) {
  std::erase_if(by_end_, [&](const Region& region) { return region.plane && of_tensor[region.tensor]; });
}

void Regions::remove_tensor(std::size_t tensor) {
  std::erase_if(by_end_, [&](const Region& region) { return region.tensor == tensor; });
  for (Region& region : by_end_) region.tensor -= region.tensor > tensor ? 1 : 0;
}

const Region* Regions::overlapping(const std::byte* begin, const std::byte* end) const {
  if (begin == end) return nullptr;
  // The first one that ends behind `begin` is the only one that can contain it or be the first to follow.
  const auto next = std::ranges::upper_bound(by_end_, begin, {}, &Region::end);
  return next != by_end_.end() && next->begin < end ? &*next : nullptr;
}

Region param_region(const Tensor& param, std::size_t tensor) {
  const auto* begin = static_cast<const std::byte*>(param.data);
  return {begin + param.size * info(param.format).bytes, begin, tensor, std::nullopt};
}

}  // namespace adamant
