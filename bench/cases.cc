// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/cases.h"

#include <stdexcept>

#include "bench/machine.h"

namespace adamant::bench {

bool looks(const Case& what, NonFinite policy) { return policy != NonFinite::propagate || what.max_norm; }

Streams streams_of(const Case& what) {
  if ((what.param == Format::f64) != (what.state == StateFormat::f64)) {
    throw Error(ErrorCode::mismatch, "state format " + std::string(info(what.state).name) + " with parameter format " +
                                         std::string(info(what.param).name) +
                                         ": f64 parameters, and only they, have f64 states");
  }
  if (what.weights != WeightFormat::plain && what.param != Format::bf16) {
    throw Error(ErrorCode::mismatch, "weight format " + std::string(info(what.weights).name) +
                                         " with parameter format " + std::string(info(what.param).name) +
                                         ": only bf16 parameters have bits below them");
  }
  alignas(double) std::byte param[sizeof(double)] = {}, grad[sizeof(double)] = {};
  Settings settings;
  settings.threads = what.threads;
  const Optimizer probe(what.rule, {{"p", Tensor(param, 1, what.param), Tensor(grad, 1, what.grad)}}, what.options,
                        settings);
  Streams streams;
  streams.param_bytes = info(what.param).bytes;
  streams.low_bytes = info(what.weights).bytes;
  streams.grad_bytes = info(what.grad).bytes;
  streams.state_bytes = info(what.state).bytes;
  streams.state_count = probe.state_dict().tensors.at("p").states.size();
  return streams;
}

std::size_t bytes_held(const Streams& s) {
  return s.param_bytes + s.low_bytes + s.grad_bytes + s.state_count * s.state_bytes;
}

std::size_t bytes_moved(const Streams& s, bool look) {
  return 2 * (s.param_bytes + s.low_bytes + s.state_count * s.state_bytes) + (look ? 2 : 1) * s.grad_bytes;
}

std::optional<Case> in_f32(const Case& what) {
  if (!info(what.state).compact && what.weights == WeightFormat::plain) return {};
  Case f32 = what;
  f32.param = f32.grad = Format::f32;
  f32.state = StateFormat::f32;
  f32.weights = WeightFormat::plain;
  return f32;
}

Workload workload_of(const Case& what) {
  Workload workload{what.workload, 1, 0};
  if (what.workload == "cache") {
    workload.size = std::size_t{16} << 10;
  } else if (what.workload == "l3") {
    workload.size = std::size_t{1} << 20;
  } else if (what.workload == "dram") {
    workload.size = std::size_t{64} << 20;
    const std::size_t per_param = bytes_held(streams_of(what)), cache = machine().last_level_cache;
    while (workload.size * per_param < 4 * cache) workload.size *= 2;
  } else if (what.workload == "many") {
    workload.tensors = 1000;
    workload.size = kSmallTensor;
  } else {
    throw Error(ErrorCode::not_found, "unknown workload '" + what.workload + "' (known: cache, l3, dram, many)");
  }
  if (what.tensors > 0) workload.tensors = what.tensors;
  if (what.size > 0) workload.size = what.size;
  if (workload.size < kSmallTensor && in_f32(what)) {
    throw Error(ErrorCode::mismatch, "size " + std::to_string(workload.size) + " with state format " +
                                         std::string(info(what.state).name) + " and weight format " +
                                         std::string(info(what.weights).name) + ": tensors of fewer than " +
                                         std::to_string(kSmallTensor) + " elements are not kept in compact formats");
  }
  return workload;
}

bool has_rivals(const Case& what) {
  return what.rule == Rule::adamw && what.param == Format::f32 && what.grad == Format::f32 &&
         what.state == StateFormat::f32 && !what.options.amsgrad.value_or(false) && !what.max_norm &&
         what.grad_scale == 1.0;
}

void check_fits(const Case& what) {
  const Streams streams = streams_of(what);
  const Workload workload = workload_of(what);
  const std::size_t states = streams.low_bytes + streams.state_count * streams.state_bytes;
  // The loops have states of their own; where there are many tensors, a second optimizer has all in one.
  const std::size_t copies = workload.tensors > 1 ? 2 : 1;
  const std::size_t temporary = has_rivals(what) ? sizeof(float) : 0;
  const std::optional<Case> f32 = in_f32(what);
  const std::size_t beside = f32 ? bytes_held(streams_of(*f32)) : 0;
  const std::size_t needed = workload.total() * (bytes_held(streams) + copies * states + temporary + beside);
  const std::size_t available = available_memory();
  if (needed <= available) return;
  throw std::runtime_error("workload " + workload.name + " of " + std::to_string(workload.total()) +
                           " parameters needs " + readable_bytes(static_cast<double>(needed)) + " of memory, but " +
                           readable_bytes(static_cast<double>(available)) + " are available");
}

}  // namespace adamant::bench
