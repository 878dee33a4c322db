// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The memory of a tensor's states: which planes there are, how large, where they lie, and what they start from.
#pragma once

#include <algorithm>

#include "kernel/streams.h"
#include "optim/regions.h"
#include "optim/tensor_state.h"

namespace adamant {

/// A plane of a tensor: a run of memory that one state, or the weight, is kept in.
struct PlaneInfo {
  std::size_t state;  // index; of low_bits: none
  PlaneKind kind;
  std::size_t bytes;
  [[nodiscard]] std::size_t index() const { return plane_index(state, kind); }
};

/// Elements of a state of that extent.
[[nodiscard]] std::size_t state_elements(const TensorState& tensor, Extent extent);

/// Calls visit(PlaneInfo) for each plane that the tensor has in its formats. Whoever allocates, counts, copies, checks
/// or restores states goes over this.
template <class Visit>
void for_each_plane(const TensorState& tensor, const VariantInfo& form, Visit&& visit) {
  const StateFormatInfo& format = info(tensor.state_format);
  for (std::size_t s = 0; s < form.state_count; ++s) {
    const std::size_t n = state_elements(tensor, form.state_infos[s].extent);
    visit(PlaneInfo{s, PlaneKind::values, n * format.bytes});
    // A first moment that is relative to a second one has no exponents of its own.
    if (format.group_bytes > 0 && form.companions[s] < 0) {
      visit(PlaneInfo{s, PlaneKind::exponents, (n + format.group - 1) / format.group * format.group_bytes});
    }
  }
  if (const std::size_t bytes = info(tensor.weight_format).bytes; bytes > 0) {
    visit(PlaneInfo{0, PlaneKind::low_bits, tensor.param.size * bytes});
  }
}

/// Calls visit(first, n) for the blocks of a tensor.
template <class Visit>
void for_each_block(const TensorState& tensor, Visit&& visit) {
  for (std::size_t first = 0; first < tensor.param.size; first += kBlock) {
    visit(first, std::min(kBlock, tensor.param.size - first));
  }
}

[[nodiscard]] inline bool is_wide(const TensorState& tensor) { return tensor.param.format == Format::f64; }

/// Memory for what some tensors keep in their formats, zeroed, allocated at once. Planes of one kind lie side by side,
/// in the order of the tensors: where many small tensors follow each other, a step reads few long streams.
class NewPlanes {
 public:
  struct Made {
    std::vector<Planes> planes;   // of each tensor, as they were added
    std::vector<Region> regions;  // where all of them lie
  };
  /// Memory in the formats that the tensor has now; `index` is that of the tensor.
  void add(std::size_t index, const TensorState& tensor, const VariantInfo& form);
  /// Throws std::bad_alloc.
  [[nodiscard]] Made allocate();

 private:
  struct Wanted {
    std::size_t place, index, plane, bytes;
  };
  std::size_t tensors_ = 0;
  std::vector<Wanted> wanted_;
};
/// Gives new states the values they start from.
void fill_initial(TensorState& tensor, const VariantInfo& form, const Options& options);
/// Bytes that the system has given for the planes, or the caller.
[[nodiscard]] std::size_t plane_bytes(const TensorState& tensor, Variant variant);

[[nodiscard]] Streams streams_of(const TensorState& tensor, Variant variant);
/// Index of a state of that name. Throws Error (not_found).
[[nodiscard]] std::size_t state_index(const TensorState& tensor, Variant variant, std::string_view name);

}  // namespace adamant
