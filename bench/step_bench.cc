// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// The cases of `adamant bench` in Google Benchmark, for its filters, repetitions and compare.py. Every case is there
// twice: the step, and the loop with the same loads and stores and no arithmetic, named ceiling.
#include <benchmark/benchmark.h>

#include <adamant/adamant.hpp>
#include <memory>
#include <string>

#include "bench/contest.h"
#include "bench/machine.h"

namespace {

using namespace adamant;

struct Formats {
  Rule rule;
  Format param, grad;
  StateFormat state;
  WeightFormat weights = WeightFormat::plain;
};
constexpr Formats kFormats[] = {
    {Rule::adamw, Format::f32, Format::f32, StateFormat::f32},
    {Rule::adamw, Format::bf16, Format::bf16, StateFormat::f32},
    {Rule::adamw, Format::bf16, Format::bf16, StateFormat::bf16},
    {Rule::adamw, Format::f16, Format::f16, StateFormat::f16},
    {Rule::adamw, Format::bf16, Format::bf16, StateFormat::b16, WeightFormat::split8},
    {Rule::adamw, Format::bf16, Format::bf16, StateFormat::q8, WeightFormat::split8},
    {Rule::adamw, Format::bf16, Format::bf16, StateFormat::q8, WeightFormat::dithered},
    {Rule::adam, Format::f32, Format::f32, StateFormat::f32},
    {Rule::sgd, Format::f32, Format::f32, StateFormat::f32},
    {Rule::rmsprop, Format::f32, Format::f32, StateFormat::f32},
    {Rule::adagrad, Format::f32, Format::f32, StateFormat::f32},
};

// Google Benchmark calls a function several times; the memory of the last case is kept for its next call.
bench::Contest& contest_of(const std::string& name, const bench::Case& what) {
  static std::string last;
  static std::unique_ptr<bench::Contest> contest;
  if (last != name) {
    contest.reset();
    contest = std::make_unique<bench::Contest>(what);
    last = name;
  }
  return *contest;
}

void run(benchmark::State& state, const std::string& name, const bench::Case& what, const std::string& contestant) {
  try {
    bench::Contest& contest = contest_of(name, what);
    const bench::Contestant& chosen = contest.contestant(contestant);
    if (chosen.prepare) chosen.prepare();
    chosen.call();
    for (auto _ : state) chosen.call();
    const auto parameters = static_cast<double>(contest.workload().total());
    const double bytes = parameters * static_cast<double>(bench::bytes_moved(bench::streams_of(what), false));
    using benchmark::Counter;
    state.counters["bytes"] = Counter(bytes, Counter::kIsIterationInvariantRate, Counter::kIs1000);
    state.counters["params"] = Counter(parameters, Counter::kIsIterationInvariantRate, Counter::kIs1000);
  } catch (const Error& error) {
    state.SkipWithError(error.what());
  }
}

void add(const bench::Case& what) {
  std::string name(info(what.rule).name);
  for (const std::string_view format :
       {info(what.param).name, info(what.grad).name, info(what.state).name, info(what.weights).name}) {
    name += "/" + std::string(format);
  }
  name += "/" + what.workload + "/threads:" + std::to_string(what.threads);
  for (const std::string contestant : {"step", "ceiling"}) {
    benchmark::RegisterBenchmark((name + "/" + contestant).c_str(), [=](benchmark::State& state) {
      run(state, name, what, contestant);
    })->UseRealTime();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int all = bench::machine().threads;
  for (const std::string_view workload : bench::kWorkloads) {
    for (int threads = 1; threads <= all; threads = threads < all ? all : all + 1) {
      for (const Formats& formats : kFormats) {
        bench::Case what{formats.rule, formats.param, formats.grad, formats.state, formats.weights};
        what.workload = workload;
        what.threads = threads;
        add(what);
      }
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
