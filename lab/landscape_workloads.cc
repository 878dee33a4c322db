// Copyright 2026 The Adamant authors
// SPDX-License-Identifier: Apache-2.0

// ravine and rosenbrock: a function whose gradient is seen through noise. There is no data: what a rule does with
// directions of unequal curvature is bare. The loss reported is the function's, without noise.
#include <cmath>

#include "lab/landscapes.h"
#include "lab/matrix.h"
#include "lab/workload_list.h"

namespace adamant::lab {
namespace {

// What tells one landscape from another.
struct Landscape {
  std::size_t size;
  std::string_view words;
  double (*function)(std::span<const double> x, std::span<double> grad);
  double (*start)(std::size_t i, double normal);  // of coordinate i
  double (*noise)(std::size_t i);                 // standard deviation at batch size 1
};

constexpr std::size_t kRavineSize = 100;
constexpr Landscape kRavine = {
    kRavineSize, "quadratic of 100 parameters with curvatures from 1 to 1000, noise in the gradient", ravine,
    [](std::size_t, double normal) { return 1.0 + normal; },
    // As in a least-squares fit, where the gradients of the samples differ more along steep axes.
    [](std::size_t i) { return 0.1 * std::sqrt(ravine_curvature(i, kRavineSize)); }};
constexpr Landscape kRosenbrock = {
    100, "50 Rosenbrock valleys from near (-1.2, 1), noise in the gradient", rosenbrock,
    [](std::size_t i, double normal) { return (i % 2 == 0 ? -1.2 : 1.0) + 0.1 * normal; },
    [](std::size_t) { return 1.0; }};

class LandscapeWorkload final : public Workload {
 public:
  LandscapeWorkload(const WorkloadOptions& options, const Landscape& landscape)
      : landscape_(landscape),
        noise_scale_(1.0 / std::sqrt(static_cast<double>(options.batch_size))),
        weight_("x", 1, static_cast<Eigen::Index>(landscape.size)),
        x_(landscape.size),
        grad_(landscape.size) {}

  std::string describe() const override { return std::string(landscape_.words); }
  std::vector<Weight<float>*> weights() override { return {&weight_}; }
  void start(std::uint64_t seed) override {
    seed_ = seed;
    const Random random(seed, kStartStream);
    for (std::size_t i = 0; i < landscape_.size; ++i) {
      weight_.value.data()[i] = static_cast<float>(landscape_.start(i, random.normal(i)));
    }
  }
  double loss_and_grad(std::uint64_t step) override {
    const double loss = function();
    const Random random(seed_, kNoiseStream);
    for (std::size_t i = 0; i < landscape_.size; ++i) {
      const double noise = noise_scale_ * landscape_.noise(i) * random.normal(step * landscape_.size + i);
      weight_.grad.data()[i] = static_cast<float>(grad_[i] + noise);
    }
    return loss;
  }
  Score evaluate() override {
    const double loss = function();
    double squares = 0.0;
    for (const double x : x_) squares += (x - 1.0) * (x - 1.0);
    return {loss, std::sqrt(squares)};
  }

 private:
  double function() {
    for (std::size_t i = 0; i < landscape_.size; ++i) x_[i] = weight_.value.data()[i];
    return landscape_.function(x_, grad_);
  }

  const Landscape& landscape_;
  double noise_scale_;
  Weight<float> weight_;
  std::vector<double> x_, grad_;
  std::uint64_t seed_ = 0;
};

}  // namespace

std::unique_ptr<Workload> make_ravine(const WorkloadOptions& options) {
  return std::make_unique<LandscapeWorkload>(options, kRavine);
}
std::unique_ptr<Workload> make_rosenbrock(const WorkloadOptions& options) {
  return std::make_unique<LandscapeWorkload>(options, kRosenbrock);
}

}  // namespace adamant::lab
