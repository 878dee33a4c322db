#include "bench/cases.h"

#include <stdexcept>

#include "bench/machine.h"

namespace adamant::bench {

std::string_view name_of(NonFinite policy) {
  switch (policy) {
    case NonFinite::skip:
      return "skip";
    case NonFinite::error:
      return "error";
    case NonFinite::propagate:
      return "propagate";
  }
  return "";
}

bool looks(const Case& what, NonFinite policy) { return policy != NonFinite::propagate || what.max_norm; }

Streams streams_of(const Case& what) {
  alignas(double) std::byte param[sizeof(double)] = {}, grad[sizeof(double)] = {};
  Settings settings;
  settings.state = what.state;
  settings.threads = what.threads;
  const Optimizer probe(what.rule, {{"p", Tensor(param, 1, what.param), Tensor(grad, 1, what.grad)}}, what.options,
                        settings);
  if (probe.tensor(0).state_format != what.state) {
    throw Error(ErrorCode::mismatch, "state format " + std::string(info(what.state).name) + " with parameter format " +
                                         std::string(info(what.param).name) + ": f64 parameters have f64 states");
  }
  Streams streams;
  streams.param_bytes = info(what.param).bytes;
  streams.grad_bytes = info(what.grad).bytes;
  streams.state_bytes = info(what.state).bytes;
  streams.state_count = probe.state_dict().tensors.at("p").states.size();
  return streams;
}

std::size_t bytes_held(const Streams& s) { return s.param_bytes + s.grad_bytes + s.state_count * s.state_bytes; }

std::size_t bytes_moved(const Streams& s, bool look) {
  return 2 * (s.param_bytes + s.state_count * s.state_bytes) + (look ? 2 : 1) * s.grad_bytes;
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
    workload.size = 4096;
  } else {
    throw Error(ErrorCode::not_found, "unknown workload '" + what.workload + "' (known: cache, l3, dram, many)");
  }
  if (what.size > 0) workload.size = what.size;
  return workload;
}

bool has_rivals(const Case& what) {
  return what.rule == Rule::adamw && what.param == Format::f32 && what.grad == Format::f32 &&
         what.state == Format::f32 && !what.options.amsgrad.value_or(false) && !what.max_norm && what.grad_scale == 1.0;
}

void check_fits(const Case& what) {
  const Streams streams = streams_of(what);
  const Workload workload = workload_of(what);
  const std::size_t states = streams.state_count * streams.state_bytes;
  // The loops have states of their own; where there are many tensors, a second optimizer has all in one.
  const std::size_t copies = workload.tensors > 1 ? 2 : 1;
  const std::size_t temporary = has_rivals(what) ? sizeof(float) : 0;
  const std::size_t needed = workload.total() * (bytes_held(streams) + copies * states + temporary);
  const std::size_t available = available_memory();
  if (needed <= available) return;
  throw std::runtime_error("workload " + workload.name + " of " + std::to_string(workload.total()) +
                           " parameters needs " + readable_bytes(static_cast<double>(needed)) + " of memory, but " +
                           readable_bytes(static_cast<double>(available)) + " are available");
}

}  // namespace adamant::bench
