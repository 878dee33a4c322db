// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/contest.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <mutex>
#include <utility>

namespace adamant::bench {
namespace {

// A zero that the compiler does not know, and where the loads of the ceiling end.
volatile std::uint8_t nothing = 0;
std::atomic<std::uint64_t> sink;

// Evenly spread in (-1, 1) and always the same: the upper bits of a multiplicative sequence.
double value_at(std::size_t i) {
  return std::ldexp(static_cast<double>((i + 1) * 0x9E3779B97F4A7C15u >> 40), -23) - 1.0;
}

void write(void* memory, Format format, std::size_t i, double value) {
  const auto narrow = static_cast<float>(value);
  switch (format) {
    case Format::f32:
      static_cast<float*>(memory)[i] = narrow;
      return;
    case Format::f64:
      static_cast<double*>(memory)[i] = value;
      return;
    case Format::bf16:
      static_cast<bf16*>(memory)[i] = bf16(narrow);
      return;
    case Format::f16:
      static_cast<f16*>(memory)[i] = f16(narrow);
      return;
  }
}

// Memory that is written for the first time by the threads that will use it.
Memory zeros(Threads& threads, std::size_t bytes) {
  Memory memory = allocate(bytes);
  threads.run(bytes, [&](std::size_t first, std::size_t n) { std::memset(memory.get() + first, 0, n); });
  return memory;
}

Memory numbers(Threads& threads, std::size_t total, Format format) {
  constexpr std::size_t kPattern = std::size_t{1} << 12;
  const std::size_t bytes = info(format).bytes;
  std::vector<std::byte> pattern(kPattern * bytes);
  for (std::size_t i = 0; i < kPattern; ++i) write(pattern.data(), format, i, value_at(i));
  Memory memory = allocate(total * bytes);
  threads.run(total, [&](std::size_t first, std::size_t n) {
    for (std::size_t i = first; i < first + n; i += kPattern) {
      std::memcpy(memory.get() + i * bytes, pattern.data(), std::min(kPattern, first + n - i) * bytes);
    }
  });
  return memory;
}

std::string step_under(NonFinite policy) { return "step " + std::string(name_of(policy)); }

}  // namespace

Contest::Contest(const Case& what)
    : case_((check_fits(what), what)),
      streams_(streams_of(what)),
      workload_(workload_of(what)),
      threads_(what.threads) {
  const std::size_t total = workload_.total();
  param_ = numbers(threads_, total, case_.param);
  grad_ = numbers(threads_, total, case_.grad);
  streams_.param = param_.get();
  streams_.grad = grad_.get();
  for (std::size_t s = 0; s < streams_.state_count; ++s) {
    states_[s] = zeros(threads_, total * streams_.state_bytes);
    streams_.states[s] = states_[s].get();
  }
  low_ = zeros(threads_, total * streams_.low_bytes);
  streams_.low = low_.get();
  optimizer_ = make_optimizer(workload_.tensors);

  bool any_looks = false;
  for (const NonFinite policy : case_.policies) {
    add_step(step_under(policy), *optimizer_, policy, case_.max_norm);
    any_looks = any_looks || looks(case_, policy);
  }
  if (case_.statistics) add_statistics();
  add_ceiling("ceiling", false);
  if (any_looks) {
    add_step("bare", *optimizer_, NonFinite::propagate, {});
    add_ceiling("ceiling with a look", true);
  }
  if (workload_.tensors > 1) {
    one_tensor_ = make_optimizer(1);
    add_step("one tensor", *one_tensor_, case_.policies.front(), case_.max_norm);
  }
  if (has_rivals(case_)) add_rivals();
  if (const std::optional<Case> f32 = in_f32(case_)) {
    f32_ = std::make_unique<Contest>(*f32);
    Contestant step = f32_->contestant("step");
    step.name = "f32";
    contestants_.push_back(std::move(step));
  }
}

std::unique_ptr<Optimizer> Contest::make_optimizer(std::size_t tensors) const {
  const std::size_t size = workload_.total() / tensors;
  std::vector<Param> params;
  params.reserve(tensors);
  for (std::size_t t = 0; t < tensors; ++t) {
    params.emplace_back("t" + std::to_string(t),
                        Tensor(param_.get() + t * size * streams_.param_bytes, size, case_.param),
                        Tensor(grad_.get() + t * size * streams_.grad_bytes, size, case_.grad));
  }
  Settings settings;
  settings.state = case_.state;
  settings.weights = case_.weights;
  settings.threads = threads_.count();
  return std::make_unique<Optimizer>(case_.rule, std::move(params), case_.options, settings);
}

void Contest::add_step(std::string name, Optimizer& optimizer, NonFinite policy, std::optional<double> max_norm) {
  Settings settings = optimizer.settings();
  settings.nonfinite = policy;
  settings.max_norm = max_norm;
  contestants_.push_back({std::move(name),
                          [&optimizer, scale = case_.grad_scale] { optimizer.step({.grad_scale = scale}); },
                          [&optimizer, settings] { optimizer.set_settings(settings); }});
}

void Contest::add_statistics() {
  sums_.observe_every = statistics_.observe_every = case_.observe_every;
  sums_.sample_every = sums_.probes = 0;
  Settings settings = optimizer_->settings();
  settings.nonfinite = case_.policies.front();
  settings.max_norm = case_.max_norm;
  for (const auto& [name, into] : {std::pair("sums", &sums_), std::pair("statistics", &statistics_)}) {
    contestants_.push_back({name,
                            [this, into] { optimizer_->step({.grad_scale = case_.grad_scale, .statistics = into}); },
                            [this, settings] { optimizer_->set_settings(settings); }});
  }
}

void Contest::add_ceiling(std::string name, bool with_look) {
  const Loops::Ceiling loop = loops().front()->ceiling(streams_);
  const Loops::Ceiling look = with_look ? loops().front()->look(streams_) : nullptr;
  if (loop == nullptr) throw Error(ErrorCode::mismatch, "there is no ceiling loop for elements of these sizes");
  const auto run = [this](Loops::Ceiling pass) {
    threads_.run(workload_.total(), [&](std::size_t first, std::size_t n) {
      sink.store(pass(streams_, first, n, nothing), std::memory_order_relaxed);
    });
  };
  contestants_.push_back({std::move(name), [run, loop, look] {
                            if (look != nullptr) run(look);
                            run(loop);
                          }});
}

void Contest::add_rivals() {
  const auto floats = [](const Memory& memory) { return reinterpret_cast<float*>(memory.get()); };
  denominator_ = zeros(threads_, workload_.total() * sizeof(float));
  const AdamwMemory memory{floats(param_), floats(grad_), floats(states_[0]), floats(states_[1]), floats(denominator_)};
  const Options options = merge(defaults(Rule::adamw), case_.options);
  const auto [beta1, beta2] = *options.betas;
  constexpr std::uint64_t kStep = 100;
  const AdamwScalars scalars = adamw_scalars(*options.lr, beta1, beta2, *options.eps, *options.weight_decay, kStep);
  const auto add = [this](std::string name, std::function<void()> call) {
    contestants_.push_back({std::move(name), std::move(call)});
  };

  for (const Loops* set : loops()) {
    add("plain", [=, this] {
      threads_.run(workload_.total(), [&](std::size_t first, std::size_t n) { set->plain(scalars, memory, first, n); });
    });
  }
  add("unfused", [=, this] {
    for (const auto pass : loops().front()->passes) {
      threads_.run(workload_.total(), [&](std::size_t first, std::size_t n) { pass(scalars, memory, first, n); });
    }
  });
  if (case_.statistics) add_peers(scalars);
  add("naive", [=, this, b1 = static_cast<float>(beta1), b2 = static_cast<float>(beta2)] {
    threads_.run(workload_.total(), [&](std::size_t first, std::size_t n) {
      naive_adamw(memory.p + first, memory.g + first, memory.m + first, memory.v + first, n,
                  static_cast<float>(*options.lr), b1, b2, static_cast<float>(*options.eps),
                  static_cast<float>(*options.weight_decay), kStep);
    });
  });
}

void Contest::add_peers(const AdamwScalars& scalars) {
  // A step, and then passes over the states it left.
  const Optimizer& states = one_tensor_ ? *one_tensor_ : *optimizer_;
  const auto state = [&](const char* name) { return static_cast<float*>(states.state("t0", name).data); };
  const AdamwMemory memory{reinterpret_cast<float*>(param_.get()), reinterpret_cast<const float*>(grad_.get()),
                           state("exp_avg"), state("exp_avg_sq"), reinterpret_cast<float*>(denominator_.get())};
  const Loops& set = *loops().front();
  const auto see = [this](Loops::Reduction pass, const float* x, const float* y) {
    Seen all;
    std::mutex mutex;
    threads_.run(workload_.total(), [&](std::size_t first, std::size_t n) {
      const Seen part = pass(x, y, first, n);
      const std::lock_guard lock(mutex);
      all.add(part);
    });
    sink.store(std::bit_cast<std::uint64_t>(all.sum + all.xx + all.xy + all.least + all.largest),
               std::memory_order_relaxed);
  };
  Settings settings = optimizer_->settings();
  settings.nonfinite = NonFinite::propagate;
  const auto add = [&](const char* name, const std::function<void()>& look) {
    contestants_.push_back({name,
                            [this, look] {
                              optimizer_->step();
                              look();
                            },
                            [this, settings] { optimizer_->set_settings(settings); }});
  };

  // DecoupledAdamW's report_per_parameter_metrics, with the cosines it had. The step is formed in one pass, where
  // PyTorch takes six.
  add("composer", [this, &set, memory, scalars, see] {
    threads_.run(workload_.total(), [&](std::size_t first, std::size_t n) { set.update(scalars, memory, first, n); });
    const float* const update = memory.denominator;
    for (const float* x :
         {static_cast<const float*>(memory.m), static_cast<const float*>(memory.p), update, memory.g}) {
      see(set.norm, x, x);
    }
    see(set.cosine, memory.g, update);
    see(set.cosine, memory.g, memory.m);
  });
  // clip_grads_and_collect_metrics: four numbers of each of four tensors, without the copies of |x| it makes.
  add("olmo", [&set, memory, see] {
    for (const float* x : {memory.g, static_cast<const float*>(memory.m), static_cast<const float*>(memory.p),
                           static_cast<const float*>(memory.v)}) {
      for (const Loops::Reduction pass : {set.least, set.largest, set.average, set.norm}) see(pass, x, x);
    }
  });
}

const Contestant& Contest::contestant(const std::string& name) const {
  const std::string full = name == "step" ? step_under(case_.policies.front()) : name;
  return *std::find_if(contestants_.begin(), contestants_.end(), [&](const Contestant& c) { return c.name == full; });
}

std::vector<Result> Contest::run(const Budget& budget) const {
  const std::vector<Times> times = measure(contestants_, budget);
  const auto best = [&](const std::string& name) {
    std::optional<Times> found;
    for (std::size_t i = 0; i < times.size(); ++i) {
      if (contestants_[i].name == name && (!found || times[i].median() < found->median())) found = times[i];
    }
    return found;
  };
  std::vector<Result> results;
  for (const NonFinite policy : case_.policies) {
    const bool look = looks(case_, policy);
    Result& result = results.emplace_back();
    result.policy = policy;
    result.bytes_per_param = bytes_moved(streams_, look);
    result.step = *best(step_under(policy));
    result.ceiling = *best(look ? "ceiling with a look" : "ceiling");
    result.allocated_bytes_per_param = optimizer_->bytes_per_parameter();
    if (policy == case_.policies.front()) {
      result.one_tensor = best("one tensor");
      result.f32 = best("f32");
      result.sums = best("sums");
      result.statistics = best("statistics");
      if (f32_) {
        // What does not fit into a cache need not be of the same size.
        const double share = static_cast<double>(workload_.total()) / static_cast<double>(f32_->workload_.total());
        for (double& ns : result.f32->ns) ns *= share;
      }
    }
    if (look) {
      result.bare = best("bare");
    } else {
      result.plain = best("plain");
      result.unfused = best("unfused");
      result.naive = best("naive");
      result.composer = best("composer");
      result.olmo = best("olmo");
    }
  }
  return results;
}

}  // namespace adamant::bench
